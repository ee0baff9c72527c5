#include "when.h"

#include <time.h>

struct str
when_rfc3339(struct arena *arena, int64_t seconds)
{
	time_t when = (time_t)seconds;
	char text[32];
	struct tm utc;
	if (gmtime_r(&when, &utc) == NULL)
		return STR("1970-01-01T00:00:00Z");
	size_t len = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
	return str_copy(arena, (struct str){text, len});
}

struct str
when_date(struct arena *arena, const struct words *words, int64_t seconds)
{
	static const enum word months[] = {WORD_DATE_JANUARY, WORD_DATE_FEBRUARY, WORD_DATE_MARCH, WORD_DATE_APRIL,
	    WORD_DATE_MAY, WORD_DATE_JUNE, WORD_DATE_JULY, WORD_DATE_AUGUST, WORD_DATE_SEPTEMBER, WORD_DATE_OCTOBER,
	    WORD_DATE_NOVEMBER, WORD_DATE_DECEMBER};
	time_t when = (time_t)seconds;
	struct tm utc;
	if (gmtime_r(&when, &utc) == NULL)
		return when_rfc3339(arena, seconds);
	const struct word_hole holes[] = {
	    {STR("day"), str_format(arena, "%d", utc.tm_mday), 0},
	    {STR("month"), words_say(arena, words, months[utc.tm_mon], NULL, 0), 0},
	    {STR("year"), str_format(arena, "%d", utc.tm_year + 1900), 0},
	    {STR("time"), str_format(arena, "%02d:%02d", utc.tm_hour, utc.tm_min), 0},
	};
	return words_say(arena, words, WORD_DATE_FULL, holes, sizeof holes / sizeof *holes);
}

struct str
when_ago(struct arena *arena, const struct words *words, int64_t seconds, int64_t now)
{
	int64_t age = now > seconds ? now - seconds : 0;
	struct word_hole n = {.name = STR("n")};
	enum word word = WORD_TIME_NOW;
	if (age >= 2 * 86400) {
		word = WORD_TIME_DAYS;
		n.n = age / 86400;
	} else if (age >= 3600) {
		word = WORD_TIME_HOURS;
		n.n = age / 3600;
	} else if (age >= 60) {
		word = WORD_TIME_MINUTES;
		n.n = age / 60;
	}
	return words_say(arena, words, word, &n, word == WORD_TIME_NOW ? 0 : 1);
}

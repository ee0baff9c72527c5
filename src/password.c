#include "password.h"

#include "text.h"

/* In lower case, spaces left out: as they are compared. */
static const char *const common[] = {
    "1q2w3e4r5t6y7u8i9o0p", "1qaz2wsx3edc4rfv", "1qaz2wsx3edc4rfv5tgb", "q1w2e3r4t5y6u7i8", "qazwsxedcrfvtgb",
    "zaq12wsxcde34rfv", "zaq1xsw2cde3vfr4", "abc123abc123abc123", "a1b2c3d4e5f6g7h8", "password1234567",
    "password12345678", "password123456789", "password1234567890", "passwordpassword", "mypassword12345",
    "thisismypassword", "thisisapassword", "thisismypassword1", "iloveyouforever", "iloveyousomuch", "iloveyou123456789",
    "letmeinletmein", "letmeinletmeinplease", "administrator1", "administrator123", "administrator1234", "administratoradministrator",
    "correcthorsebatterystaple", "trustno1trustno1", "welcome123456789", "welcomewelcome1", "changemechangeme", "changeme1234567",
    "changemeplease1", "pleasechangeme1", "defaultpassword", "defaultpassword1", "secretpassword1", "supersecretpassword",
    "verysecretpassword", "superduperpassword", "longpassword123", "averylongpassword", "mysuperpassword", "notmypassword123",
    "idontknowmypassword", "iforgotmypassword", "iforgotmypassword1", "whatismypassword", "passwordispassword", "qwertyqwerty123",
    "qwerty123456789", "qwerty1234567890", "qwertyuiop123456", "qwertyuiop1234567890", "123456789qwerty", "123456789qwertyuiop",
    "1234567890qwertyuiop", "asdfghjkl123456", "onetwothreefourfive", "opensesameopensesame", "maytheforcebewithyou",
    "tobeornottobethatisthequestion", "tobeornottobe123", "thequickbrownfox", "thequickbrownfoxjumpsoverthelazydog", "loremipsumdolor",
    "loremipsumdolorsitamet", "inthebeginningwas", "jesuschristislord", "unbelievable12345", "moderatormoderator", "moderator123456",
    "commentscomments",
};

/* Read forwards, backwards, and round and round. */
static const char *const rows[] = {"abcdefghijklmnopqrstuvwxyz", "0123456789", "1234567890", "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm", "azertyuiopqsdfghjklmwxcvbn", "1234567890qwertyuiopasdfghjklzxcvbnm"};

/* Is it a unit of at most PASSWORD_UNIT_MOST bytes, again and again (the last one perhaps cut)? */
static bool
is_repeated(struct str s)
{
	for (size_t unit = 1; unit <= PASSWORD_UNIT_MOST && unit < s.len; unit++)
		if (str_eq(str_sub(s, 0, s.len - unit), str_sub(s, unit, s.len)))
			return true;
	return false;
}

static bool
follows(struct str row, struct str s, bool backwards)
{
	size_t at = str_find(row, s.at[0]);
	for (size_t i = 0; i < s.len; i++) {
		if (at >= row.len || row.at[at] != s.at[i])
			return false;
		at = (at + (backwards ? row.len - 1 : 1)) % row.len;
	}
	return true;
}

static bool
is_row(struct str s)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (follows(str_from(rows[i]), s, false) || follows(str_from(rows[i]), s, true))
			return true;
	return false;
}

static bool
is_common(struct str s)
{
	for (size_t i = 0; i < sizeof common / sizeof *common; i++)
		if (str_eq(s, str_from(common[i])))
			return true;
	return false;
}

/* As it is compared: case and width folded, without spaces. */
static enum status
plain(struct arena *arena, struct str s, struct str *folded)
{
	enum status status = text_fold(arena, s, folded);
	char *to = status == STATUS_OK ? str_c(arena, *folded) : NULL;
	size_t n = 0;
	if (status != STATUS_OK)
		return status;
	if (to == NULL)
		return STATUS_BROKEN;
	for (size_t i = 0; i < folded->len; i++)
		if (folded->at[i] != ' ')
			to[n++] = folded->at[i];
	*folded = (struct str){to, n};
	return STATUS_OK;
}

static bool
holds(struct arena *arena, struct str password, struct str name)
{
	struct str folded;
	if (plain(arena, name, &folded) != STATUS_OK || folded.len < PASSWORD_NAME_LEAST)
		return false;
	return str_search(password, folded) < password.len;
}

static bool
is_named(struct arena *arena, const struct config *config, struct str name, struct str password)
{
	if (holds(arena, password, name))
		return true;
	for (size_t i = 0; i < config->sites_n; i++)
		if (holds(arena, password, config->sites[i].title))
			return true;
	return false;
}

enum status
password_fault(struct arena *arena, const struct config *config, struct str name, struct str password,
    enum password_fault *fault)
{
	struct str folded;
	*fault = password.len < PASSWORD_LEAST ? PASSWORD_SHORT : password.len > PASSWORD_MOST ? PASSWORD_LONG : PASSWORD_FINE;
	if (*fault == PASSWORD_FINE && !text_valid(password))
		*fault = PASSWORD_TEXT;
	if (*fault != PASSWORD_FINE)
		return STATUS_OK;
	enum status status = plain(arena, password, &folded);
	/* Too many marks in a row to be folded: nobody has such a one on a list. */
	if (status == STATUS_INVALID)
		return STATUS_OK;
	if (status != STATUS_OK)
		return status;
	if (folded.len == 0 || is_repeated(folded) || is_row(folded))
		*fault = PASSWORD_REPEATED;
	else if (is_common(folded))
		*fault = PASSWORD_COMMON;
	else if (is_named(arena, config, name, folded))
		*fault = PASSWORD_NAMED;
	return STATUS_OK;
}

#!/usr/bin/perl
# visitor.pl - who comes to the machine of tests/machine: readers, a moderator, a mail server.  Needs only
# what every Debian has (perl-base), and speaks HTTP to 127.0.0.1:80.
#
#   visitor.pl get PATH                       prints status and body; fails unless the status is 200
#   visitor.pl reply PAGE WORDS               prints the number of the reply; fails unless it is taken
#   visitor.pl approve NAME PASSWORD ID       signs in, and publishes the reply by its form in the queue
#   visitor.pl stream FOLDER                  clients at once, until FOLDER/stop is there: writes
#                                             FOLDER/taken (numbers of replies) and FOLDER/failed
#   visitor.pl smtp PORT FILE                 takes mail for ever, into FILE
use strict;
use warnings;
use Fcntl;
use IO::Socket::INET;

my $CLIENTS = 4;
my $ORIGIN = 'http://localhost';
my %cookies;

sub encode { join '&', map { my $pair = $_; join '=', map { s/([^A-Za-z0-9_.-])/sprintf '%%%02X', ord $1/ger } @$pair } @_ }
sub decode { $_[0] =~ s/&#(\d+);/chr $1/ger =~ s/&quot;/"/gr =~ s/&lt;/</gr =~ s/&gt;/>/gr =~ s/&amp;/&/gr }

# (STATUS, HEAD, BODY); status 0 and the reason where there was no whole answer.
sub ask {
	my ($method, $path, %with) = @_;
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => 80, LocalAddr => $with{from} // '127.0.0.1', Timeout => 60)
		or return (0, '', "no connection: $@");
	my $body = $with{form} ? encode(@{$with{form}}) : '';
	my $head = "$method $path HTTP/1.0\r\nHost: localhost\r\nUser-Agent: machine/1\r\nAccept: " . ($with{accept} // 'text/html') . "\r\n";
	$head .= "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: " . length($body) . "\r\nOrigin: $ORIGIN\r\n" if $with{form};
	$head .= 'Cookie: ' . join('; ', map { "$_=$cookies{$_}" } sort keys %cookies) . "\r\n" if %cookies;
	my $answer = '';
	eval {
		local $SIG{ALRM} = sub { die "no answer in 60 s\n" };
		alarm 60;
		print $socket "$head\r\n$body";
		1 while sysread $socket, $answer, 65536, length $answer;
		alarm 0;
		1;
	} or return (0, '', $@);
	my ($status, $heads, $rest) = $answer =~ m{^HTTP/1\.[01] (\d+)[^\n]*\n(.*?)\r?\n\r?\n(.*)$}s or return (0, '', "cut short: '" . substr($answer, 0, 80) . "'");
	$cookies{$1} = $2 while $heads =~ /^Set-Cookie: ([^=]+)=([^;\r\n]*)/gmi;
	return ($status, $heads, $rest);
}

my $sent = 0;
sub reply { # PAGE, WORDS, FROM: the number, or undef and the reason
	my ($page, $words, $from) = @_;
	my ($status, undef, $body) = ask('POST', '/comments/reply', accept => 'application/json', from => $from,
		form => [[page => $page], [name => 'Asel'], [email => 'asel@example.org'], [comment => $words], [key => "key-$$-" . time . '-' . $sent++]]);
	return $status == 201 && $body =~ /"id":"(\d+)"/ ? ($1) : (undef, "$status $body");
}

# The first form of a page that `fits`: (ACTION, [[NAME, VALUE] of its hidden fields], TEXT).
sub form {
	my ($html, $fits) = @_;
	while ($html =~ m{<form\b([^>]*)>(.*?)</form>}gs) {
		my ($tag, $inner) = ($1, $2);
		next unless $inner =~ $fits;
		my ($action) = $tag =~ /\baction="([^"]*)"/;
		my @hidden;
		while ($inner =~ /<input\b([^>]*)>/g) {
			my $input = $1;
			next unless $input =~ /type="hidden"/;
			my ($name) = $input =~ /\bname="([^"]*)"/;
			my ($value) = $input =~ /\bvalue="([^"]*)"/;
			push @hidden, [$name, decode($value // '')] if defined $name;
		}
		return (decode($action // ''), \@hidden, $inner);
	}
	die "no form fits $fits in: " . substr($html, 0, 2000) . "\n";
}

sub approve {
	my ($name, $password, $id) = @_;
	my ($status, $head, $page) = ask('GET', '/comments/moderate/sign-in');
	my ($action, $hidden) = form($page, qr/name="password"/);
	($status, $head, $page) = ask('POST', $action, form => [@$hidden, [name => $name], [password => $password]]);
	die "sign-in: $status $page\n" unless $status == 303;
	($status, $head, $page) = ask('GET', '/comments/moderate/?state=held');
	# A box may stand outside of its form, and name it.
	my ($reply) = $page =~ /value="(\Q$id\E:\d+)"/ or die "reply $id is not in the queue: $status $page\n";
	($action, $hidden) = form($page, qr/name="token"/);
	($action) = $page =~ m{action="([^"]*/decide)"} or die "no form decides\n";
	($status, $head, $page) = ask('POST', decode($action),
		form => [(grep { $_->[0] ne 'reply' && $_->[0] ne 'state' } @$hidden), [reply => $reply], [state => 'published']]);
	die "decision: $status $page\n" unless $status == 303;
}

# On disk before it returns, where FILE is on one: the machine may lose its power.
sub add { my ($file, $line) = @_; sysopen my $to, $file, O_WRONLY | O_APPEND | O_CREAT | O_SYNC or die "$file: $!\n"; syswrite $to, $line =~ s/\s+/ /gr . "\n"; }

# Three requests in a second and client, one in eight a reply, each of another network, so that no pace is exceeded.
sub client {
	my ($folder, $n) = @_;
	for (my $i = 0; !-e "$folder/stop"; $i++) {
		my $from = sprintf '127.%d.%d.1', 10 + $n, $i % 250;
		if ($i % 8 == 0) {
			my ($id, $why) = reply('/under-load', "Under load, says client $n of $$ for the ${i}th time, at " . time . '.', $from);
			defined $id ? add("$folder/taken", $id) : add("$folder/failed", "reply $i of $n: $why");
		} else {
			my $path = ('/comments/form?page=/under-load', '/comments/health', '/comments/moderate/health')[$i % 3];
			my ($status, undef, $body) = ask('GET', $path, from => $from);
			add("$folder/failed", "$path, $i of $n: $status " . substr($body, 0, 200)) unless $status == 200;
			add("$folder/answered", $path) if $status == 200;
		}
		select undef, undef, undef, 0.05;
	}
}

sub smtp {
	my ($port, $file) = @_;
	my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 5, ReuseAddr => 1) or die "port $port: $!\n";
	while (my $peer = $server->accept) {
		print $peer "220 here\r\n";
		my $data = 0;
		while (my $line = <$peer>) {
			add($file, $line =~ s/\r?\n//r);
			if ($data) {
				next unless $line =~ /^\.\r?\n/;
				$data = 0;
			} elsif ($line =~ /^DATA/i) {
				$data = 1;
				print $peer "354 go on\r\n";
				next;
			}
			print $peer $line =~ /^QUIT/i ? "221 bye\r\n" : "250 ok\r\n";
		}
	}
}

my ($what, @of) = @ARGV;
if ($what eq 'get') {
	my ($status, undef, $body) = ask('GET', $of[0]);
	print "$status\n$body";
	exit($status != 200);
} elsif ($what eq 'reply') {
	my ($id, $why) = reply($of[0], $of[1], $of[2]);
	die "refused: $why\n" unless defined $id;
	print "$id\n";
} elsif ($what eq 'approve') {
	approve(@of);
} elsif ($what eq 'stream') {
	for my $n (1 .. $CLIENTS) {
		my $child = fork // die "fork: $!\n";
		next if $child;
		client($of[0], $n);
		exit 0;
	}
	1 while wait > 0;
} elsif ($what eq 'smtp') {
	smtp(@of);
} else {
	die "visitor.pl: what is $what?\n";
}

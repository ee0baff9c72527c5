#!/usr/bin/perl
# supervise.pl PATH HOW COMMAND...: what a supervisor does, as small as can be.  Listens on the Unix
# socket PATH, hands it to COMMAND as file descriptor 0 (HOW is `zero`) or as systemd does (`systemd`),
# and runs COMMAND again whenever it ends.  Prints `start PID` and `end STATUS` lines.
# SIGTERM ends COMMAND, and then this.
use strict;
use warnings;
use IO::Socket::UNIX;
use POSIX qw(dup2);

my ($path, $how, @command) = @ARGV;
$^F = 9; # descriptors up to here outlive exec
$| = 1;
unlink $path;
my $socket = IO::Socket::UNIX->new(Local => $path, Type => SOCK_STREAM, Listen => 4096) or die "$path: $!\n";
my ($child, $over) = (0, 0);
$SIG{TERM} = sub { $over = 1; kill TERM => $child if $child };
until ($over) {
	$child = fork() // die "fork: $!\n";
	if ($child == 0) {
		$SIG{TERM} = 'DEFAULT';
		my $to = $how eq 'systemd' ? 3 : 0;
		dup2(fileno($socket), $to) if fileno($socket) != $to;
		if ($how eq 'systemd') {
			open STDIN, '<', '/dev/null';
			@ENV{qw(LISTEN_PID LISTEN_FDS)} = ($$, 1);
		}
		exec @command or die "$command[0]: $!\n";
	}
	print "start $child\n";
	while (waitpid($child, 0) < 0) { }
	print "end $?\n";
	$child = 0;
}

#!/usr/bin/perl
# machine.pl ROOT [systemd]: process 1 of a small machine that lives below ROOT.
#
# Run in namespaces of its own (unshare --mount --pid --net --fork): mounts /proc and /dev, switches the
# loopback device on, says "up", reaps what is left behind, and ends with everything in it when its
# standard input ends.
#
# With `systemd` it also stands in for that: it starts what units say, as far as the pages of docs/deploy
# need.  Units are read where Debian puts them, at each start.  Obeyed are: ConditionPathExists, Requires (of
# sockets), Type, User, Group, UMask, Environment, AmbientCapabilities, ExecStartPre, ExecStart, ExecReload,
# ExecStop, PIDFile, Restart; of sockets ListenStream, SocketUser, SocketGroup, SocketMode; of timers
# OnActiveSec and OnUnitInactiveSec.  Walls (ProtectSystem and the like) are not built: what a unit may do
# here is more than it may on a real machine, and tests/package/run has its own look at them.
# The other end is systemctl.pl.
use strict;
use warnings;
use IO::Select;
use IO::Socket::UNIX;
use POSIX qw(:sys_wait_h dup2 setsid);
use Socket;

my ($root, $systemd) = @ARGV;
my %main;    # service: the process that it is
my %active;  # units that were started and not stopped
my %socket;  # socket unit: the listening socket
my %due;     # unit: when it is started (again)

sub run { return system(@_) == 0 }
sub loopback_up {
	socket(my $any, AF_INET, SOCK_DGRAM, 0) or die "socket: $!\n";
	my $request = pack('a16 s x22', 'lo', 0x1 | 0x40);
	ioctl($any, 0x8914, $request) or die "lo: $!\n"; # SIOCSIFFLAGS, UP | RUNNING
}

# --- units ------------------------------------------------------------------------------------------

sub named { my ($name) = @_; return $name =~ /\.(service|socket|timer|target)$/ ? $name : "$name.service" }

# {"Section.Key"} = [values]; undef where there is no such unit.
sub unit {
	my ($name) = @_;
	for my $folder (qw(/etc/systemd/system /lib/systemd/system /usr/lib/systemd/system /usr/local/lib/systemd/system)) {
		open(my $file, '<', "$folder/$name") or next;
		my ($section, %unit) = ('');
		# No $_: callers loop with it.
		while (defined(my $line = <$file>)) {
			chomp $line;
			if ($line =~ /^\[(.*)\]/) { $section = $1 }
			elsif ($line =~ /^([A-Za-z]+)\s*=\s*(.*?)\s*$/) { push @{$unit{"$section.$1"}}, $2 }
		}
		return \%unit;
	}
	return undef;
}
sub last_of { my ($unit, $key, $default) = @_; my $all = $unit->{$key}; return $all ? $all->[-1] : $default }
sub words_of { my ($unit, $key) = @_; return map { split ' ' } @{$unit->{$key} // []} }

sub conditions_hold {
	my ($unit) = @_;
	for (@{$unit->{'Unit.ConditionPathExists'} // []}) { return 0 unless -e }
	return 1;
}

# Becomes the command, as the unit's user; never returns.
sub become {
	my ($unit, $command, $pid) = @_;
	$command =~ s/^[-\@:+!]+//;
	setsid();
	open(STDIN, '<', '/dev/null');
	open(STDOUT, '>>', '/var/log/units.log');
	open(STDERR, '>&', \*STDOUT);
	umask oct last_of($unit, 'Service.UMask', '0022');
	for (@{$unit->{'Service.Environment'} // []}) { $ENV{$1} = $2 if /^"?(\w+)=(.*?)"?$/ }
	$ENV{MAINPID} = $pid if $pid;
	my @as;
	if (my $user = last_of($unit, 'Service.User')) {
		@as = ('setpriv', '--reuid', $user, '--regid', last_of($unit, 'Service.Group', $user), '--init-groups');
		my @caps = map { s/^CAP_//r } words_of($unit, 'Service.AmbientCapabilities');
		push @as, map { ("--inh-caps=+\L$_", "--ambient-caps=+\L$_") } @caps;
		$ENV{HOME} = (getpwnam $user)[7];
	}
	exec(@as, '/bin/sh', '-c', "exec $command") or POSIX::_exit(127);
}

sub run_command {
	my ($unit, $command, $pid) = @_;
	my $child = fork;
	become($unit, $command, $pid) if $child == 0;
	waitpid($child, 0);
	return $? == 0 || $command =~ /^-/;
}

sub start_socket {
	my ($name, $unit) = @_;
	return 1 if $socket{$name};
	my $path = last_of($unit, 'Socket.ListenStream');
	unlink $path;
	my $made = IO::Socket::UNIX->new(Type => SOCK_STREAM, Local => $path, Listen => 4096) or return 0;
	chmod oct(last_of($unit, 'Socket.SocketMode', '0666')), $path;
	chown scalar getpwnam(last_of($unit, 'Socket.SocketUser', 'root')), scalar getgrnam(last_of($unit, 'Socket.SocketGroup', 'root')), $path;
	$socket{$name} = $made;
	return 1;
}

sub start_service {
	my ($name, $unit) = @_;
	return 1 if $main{$name};
	my @sockets = grep { /\.socket$/ } words_of($unit, 'Unit.Requires');
	start($_) or return 0 for @sockets;
	for (@{$unit->{'Service.ExecStartPre'} // []}) { run_command($unit, $_) or return 0 }
	my ($type, $command) = (last_of($unit, 'Service.Type', 'simple'), last_of($unit, 'Service.ExecStart'));
	return run_command($unit, $command) if $type eq 'oneshot' || $type eq 'forking';
	my $child = fork;
	if ($child == 0) {
		if (my $listener = $socket{$sockets[0] // ''}) {
			dup2(fileno $listener, 3);
			fcntl($listener, 2, 0) if fileno $listener == 3; # F_SETFD without FD_CLOEXEC
			@ENV{qw(LISTEN_FDS LISTEN_PID)} = (1, $$);
		}
		become($unit, $command);
	}
	$main{$name} = $child;
	return 1;
}

sub start {
	my ($name) = @_;
	my $unit = unit($name) or return 0;
	return 1 unless conditions_hold($unit);
	my $done = $name =~ /\.socket$/ ? start_socket($name, $unit)
	    : $name =~ /\.service$/ ? start_service($name, $unit)
	    : 1;
	$due{$name =~ s/timer$/service/r} = time + last_of($unit, 'Timer.OnActiveSec', 60) if $name =~ /\.timer$/;
	$active{$name} = $done && last_of($unit, 'Service.Type', '') ne 'oneshot';
	return $done;
}

sub main_of {
	my ($name, $unit) = @_;
	return $main{$name} if $main{$name};
	my $path = last_of($unit, 'Service.PIDFile') or return undef;
	open(my $file, '<', $path) or return undef;
	return <$file> =~ /(\d+)/ ? $1 : undef;
}

sub stop {
	my ($name) = @_;
	my $unit = unit($name) or return 0;
	my $pid = main_of($name, $unit);
	my $was = delete $active{$name};
	delete $due{$name =~ s/timer$/service/r} if $name =~ /\.timer$/;
	if (my $made = delete $socket{$name}) { close $made; unlink last_of($unit, 'Socket.ListenStream') }
	delete $main{$name};
	return 1 unless $was;
	run_command($unit, $_, $pid) for @{$unit->{'Service.ExecStop'} // []};
	kill 'TERM', $pid if $pid;
	for (1 .. 500) { last unless $pid && kill 0, $pid; waitpid($pid, WNOHANG); select(undef, undef, undef, 0.02) }
	return 1;
}

sub reload {
	my ($name) = @_;
	my $unit = unit($name);
	return 0 unless $unit && $active{$name} && $unit->{'Service.ExecReload'};
	my $pid = main_of($name, $unit);
	for (@{$unit->{'Service.ExecReload'}}) { run_command($unit, $_, $pid) or return 0 }
	return 1;
}

sub links_of {
	my ($name, $unit) = @_;
	return map { "/etc/systemd/system/$_.wants/$name" } words_of($unit, 'Install.WantedBy');
}
sub enable {
	my ($name, $on) = @_;
	my $unit = unit($name) or return 0;
	for my $link (links_of($name, $unit)) {
		mkdir $link =~ s{/[^/]*$}{}r;
		unlink $link;
		symlink "/lib/systemd/system/$name", $link if $on;
	}
	return 1;
}
sub is_enabled { my ($name) = @_; my $unit = unit($name); return $unit && grep { -l } links_of($name, $unit) }

# --- requests: a line each, the verb and its words; the answer is the exit status, then what to print ---

my %verbs = (
	'start' => \&start, 'stop' => \&stop, 'reload' => \&reload,
	'restart' => sub { stop(@_); start(@_) },
	'try-restart' => sub { $active{$_[0]} ? (stop(@_), start(@_))[-1] : 1 },
	'reload-or-restart' => sub { reload(@_) || (stop(@_), start(@_))[-1] },
	'is-active' => sub { $active{$_[0]} },
	'is-enabled' => sub { is_enabled(@_) },
	'enable' => sub { enable($_[0], 1) },
	'disable' => sub { enable($_[0], 0) },
	'daemon-reload' => sub { 1 },
);

sub answer {
	my ($verb, @words) = split ' ', $_[0];
	my ($now, $said, $status) = (scalar(grep { $_ eq '--now' } @words), '', 0);
	my @names = map { named($_) } grep { !/^-/ } @words;
	return "1\nThe stand-in for systemctl does not know $verb\n" unless $verbs{$verb};
	for my $name ($verb eq 'daemon-reload' ? '' : @names) {
		my $done = $verbs{$verb}->($name);
		$done &&= $verb eq 'disable' ? stop($name) : start($name) if $now;
		$said .= ($done ? '' : 'in') . "active\n" if $verb eq 'is-active';
		$said .= ($done ? 'enabled' : 'disabled') . "\n" if $verb eq 'is-enabled';
		$said .= "$name: could not $verb\n" unless $done || $verb =~ /^is-/;
		$status = $verb eq 'is-active' ? 3 : 1 unless $done;
	}
	return "$status\n$said";
}

# --- the machine ------------------------------------------------------------------------------------

sub reap {
	while ((my $pid = waitpid(-1, WNOHANG)) > 0) {
		for my $name (grep { $main{$_} == $pid } keys %main) {
			delete $main{$name};
			my $unit = unit($name);
			$due{$name} = time + 1 if $unit && last_of($unit, 'Service.Restart', 'no') eq 'always';
		}
	}
}
sub start_what_is_due {
	for my $name (grep { $due{$_} <= time } keys %due) {
		delete $due{$name};
		my $timer = unit($name =~ s/service$/timer/r);
		start_service($name, unit($name));
		$due{$name} = time + last_of($timer, 'Timer.OnUnitInactiveSec', 60) if $timer;
	}
}

run('mount', '-t', 'proc', 'proc', "$root/proc") && run('mount', '--rbind', '/dev', "$root/dev") or exit 1;
loopback_up();
chroot $root or die "chroot: $!\n";
chdir '/';
%ENV = (PATH => '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG => 'C.UTF-8');
my $requests;
if ($systemd) {
	run('mkdir', '-p', '/run/systemd/system');
	unlink '/run/systemd/stand-in';
	$requests = IO::Socket::UNIX->new(Type => SOCK_STREAM, Local => '/run/systemd/stand-in', Listen => 64) or die "stand-in: $!\n";
}
$| = 1;
print "up\n";
while (1) {
	my %idle = map { my $s = s/socket$/service/r; $main{$s} || !$active{$_} ? () : (fileno $socket{$_} => $s) } keys %socket;
	my $select = IO::Select->new(\*STDIN, $requests // (), map { $socket{$_ =~ s/service$/socket/r} } values %idle);
	for my $ready ($select->can_read(0.2)) {
		if ($ready == \*STDIN) { exit 0 unless sysread STDIN, my $byte, 1 }
		elsif ($requests && $ready == $requests) {
			my $peer = $requests->accept or next;
			print $peer answer(scalar <$peer>);
			close $peer;
		} else { start($idle{fileno $ready}) }
	}
	reap();
	start_what_is_due();
}

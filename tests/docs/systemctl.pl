#!/usr/bin/perl
# Stands in the place of systemctl on the machines of tests/docs: asks machine.pl.
use strict;
use warnings;
use IO::Socket::UNIX;

# Options before and behind the verb; --now alone means something here.
my $quiet = grep { $_ eq '--quiet' || $_ eq '-q' } @ARGV;
my ($verb, @words) = grep { !/^-/ || $_ eq '--now' } @ARGV;
exit 0 if !defined $verb || $verb =~ /^(show|list-unit-files|list-units|preset|mask|unmask|reset-failed)$/;
my $machine = IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => '/run/systemd/stand-in') or die "systemctl: nobody stands in for systemd\n";
print $machine join(' ', $verb, @words), "\n";
my ($status, @said) = <$machine>;
print { $verb =~ /^is-/ ? *STDOUT : *STDERR } @said unless $quiet;
exit $status;

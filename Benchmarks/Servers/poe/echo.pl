#!/usr/bin/perl
# Perl POE: POE::Component::Server::TCP on the stock event loop.
use strict;
use warnings;
use POE qw(Component::Server::TCP Filter::Line Filter::Stream);
use Socket qw(IPPROTO_TCP TCP_NODELAY unpack_sockaddr_in);

my ($option, $port, $mode) = @ARGV;
die "usage: $0 --port N chunk|line|lineBytes|sink\n"
    unless @ARGV == 3 && $option eq '--port' && $mode =~ /^(?:chunk|line|lineBytes|sink)$/;
$| = 1;

POE::Component::Server::TCP->new(
    Address      => '127.0.0.1',
    Port         => $port,
    Concurrency  => -1,
    ClientFilter => $mode =~ /^line/
        ? POE::Filter::Line->new(InputRegexp => "\x0D?\x0A", OutputLiteral => "\n")
        : POE::Filter::Stream->new,
    Started => sub {
        my $address = $_[HEAP]{listener}->getsockname;
        print 'ready ', (unpack_sockaddr_in($address))[0], "\n";
    },
    # Without TCP_NODELAY, replies of more than one write wait 40 ms for a delayed acknowledgement.
    ClientConnected => sub {
        setsockopt $_[HEAP]{client}->get_input_handle, IPPROTO_TCP, TCP_NODELAY, 1;
    },
    ClientInput => $mode eq 'sink'
        ? sub { $_[HEAP]{total} += length $_[ARG0] }
        : sub { $_[HEAP]{client}->put($_[ARG0]) },
    ClientShutdownOnError => 0,  # so that what is put at the end of the input still goes out
    ClientError => sub {
        my ($call, $errno) = @_[ARG0, ARG1];
        $_[HEAP]{client}->put(($_[HEAP]{total} // 0) . "\n")
            if $mode eq 'sink' && $call eq 'read' && $errno == 0;
        $_[KERNEL]->yield('shutdown');
    },
);
POE::Kernel->run;

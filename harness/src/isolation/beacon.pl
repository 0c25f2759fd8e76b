# A beacon: answers whatever reaches it, and says what did. Its arguments are the port, for TCP and for UDP (0: any that is free), and
# whether beside it there is a name server, on another network, or a socket for UDP over IPv6, on the engine's own.
use strict;
use warnings;
use Socket qw(:DEFAULT pack_sockaddr_in6 unpack_sockaddr_in6 IN6ADDR_ANY IPPROTO_IPV6 IPV6_V6ONLY);

my ($port, $beside) = @ARGV;
$| = 1;
$SIG{TERM} = sub { exit 0 };
# Whoever started it may have been killed.
alarm 600;

sub bound {
    my ($type, $port) = @_;
    socket my $socket, AF_INET, $type, 0 or die "no socket: $!\n";
    bind $socket, pack_sockaddr_in($port, INADDR_ANY) or die "port $port: $!\n";
    return $socket;
}

# Where there is no IPv6 there is nothing that could be reached by it.
sub bound6 {
    socket my $socket, AF_INET6, SOCK_DGRAM, 0 or return;
    setsockopt $socket, IPPROTO_IPV6, IPV6_V6ONLY, 1;
    return bind($socket, pack_sockaddr_in6(0, IN6ADDR_ANY)) ? $socket : undef;
}

sub port { (unpack_sockaddr_in(getsockname $_[0]))[0] }

my ($tcp, $udp) = (bound(SOCK_STREAM, $port), bound(SOCK_DGRAM, $port));
listen $tcp, 64 or die "port $port: $!\n";
my $names = $beside eq 'names' ? bound(SOCK_DGRAM, 53) : undef;
my $six = $beside eq 'six' ? bound6() : undef;
print join(' ', 'ready', port($tcp), port($udp), defined $six ? (unpack_sockaddr_in6(getsockname $six))[0] : 0), "\n";
my @datagrams = grep { defined } $udp, $names, $six;
my %open;
while (1) {
    my $read = '';
    vec($read, fileno $_, 1) = 1 for $tcp, @datagrams, values %open;
    next if select($read, undef, undef, undef) < 1;
    if (vec $read, fileno $tcp, 1) {
        my $client;
        $open{ fileno $client } = $client if accept $client, $tcp;
    }
    for my $socket (@datagrams) {
        next if !vec $read, fileno $socket, 1;
        my $from = recv $socket, my $message, 2048, 0;
        next if !defined $from || length $message < 1;
        my $answer = $message;
        if (defined $names && $socket == $names) {
            next if length $message < 17;
            # The question again, and one answer to it: an address that nobody has (RFC 5737).
            my ($label) = unpack 'C/a', substr $message, 12;
            my $question = substr $message, 12, index($message, "\0", 12) - 12 + 5;
            $answer = substr($message, 0, 2) . pack('n5', 0x8180, 1, 1, 0, 0) . $question
                . pack('n n n N n C4', 0xc00c, 1, 1, 0, 4, 192, 0, 2, 1);
            $message = $label;
        }
        print "reached $message\n";
        send $socket, $answer, 0, $from;
    }
    for my $descriptor (keys %open) {
        next if !vec $read, $descriptor, 1;
        if (sysread $open{$descriptor}, my $message, 2048) {
            print "reached $message\n";
            syswrite $open{$descriptor}, $message;
        } else {
            delete $open{$descriptor};
        }
    }
}

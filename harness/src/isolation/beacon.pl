# A beacon on another network: answers whatever reaches it, and says what did. Its argument is the port, for TCP and for UDP;
# beside it there is a name server.
use strict;
use warnings;
use Socket;

my ($port) = @ARGV;
$| = 1;
$SIG{TERM} = sub { exit 0 };

sub bound {
    my ($type, $port) = @_;
    socket my $socket, AF_INET, $type, 0 or die "no socket: $!\n";
    bind $socket, pack_sockaddr_in($port, INADDR_ANY) or die "port $port: $!\n";
    return $socket;
}

my ($tcp, $udp, $names) = (bound(SOCK_STREAM, $port), bound(SOCK_DGRAM, $port), bound(SOCK_DGRAM, 53));
listen $tcp, 64 or die "port $port: $!\n";
print "ready\n";
my %open;
while (1) {
    my $read = '';
    vec($read, fileno $_, 1) = 1 for $tcp, $udp, $names, values %open;
    next if select($read, undef, undef, undef) < 1;
    if (vec $read, fileno $tcp, 1) {
        my $client;
        $open{ fileno $client } = $client if accept $client, $tcp;
    }
    for my $socket ($udp, $names) {
        next if !vec $read, fileno $socket, 1;
        my $from = recv $socket, my $message, 2048, 0;
        next if !defined $from || length $message < 1;
        my $answer = $message;
        if ($socket == $names) {
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

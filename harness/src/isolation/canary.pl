# A canary: tries every way out that it is told of, and says of each whether it is open.
# Arguments: the name that its messages begin with, the fixture server as HOST PORT, then NUMBER KIND HOST PORT for each way.
use strict;
use warnings;
use Errno qw(EINPROGRESS);
use Fcntl qw(F_SETFL O_NONBLOCK);
use Socket qw(:DEFAULT inet_pton pack_sockaddr_in6);

my ($name, $server, @ways) = @ARGV;
my (%said, %waiting, %child);
$| = 1;
$SIG{PIPE} = 'IGNORE';

sub report {
    my ($number, $what) = @_;
    print "way $number $what\n" if !$said{$number}++;
}

sub interface {
    open my $file, '<', '/sys/class/net/eth0/ifindex' or return 0;
    return <$file> + 0;
}

sub address {
    my ($kind, $host, $port) = @_;
    if ($kind =~ /6$/) {
        return pack_sockaddr_in6($port, inet_pton(AF_INET6, $host), interface());
    }
    return pack_sockaddr_in($port, inet_aton($host));
}

sub echo_request {
    my ($data) = @_;
    my $packet = pack 'CCnnna*', 8, 0, 0, $$ & 0xffff, 1, length($data) % 2 ? "$data." : $data;
    my $sum = 0;
    $sum += $_ for unpack 'n*', $packet;
    $sum = ($sum & 0xffff) + ($sum >> 16) while $sum >> 16;
    substr $packet, 2, 2, pack('n', ~$sum & 0xffff);
    return $packet;
}

sub query {
    my ($label) = @_;
    return pack('n6', $$ & 0xffff, 0x0100, 1, 0, 0, 0) . pack('C/a* C/a* C n n', $label, 'test', 0, 1, 1);
}

sub begin {
    my ($number, $kind, $host, $port) = @_;
    my $word = "$name-$number";
    if ($kind eq 'name') {
        my $process = fork;
        return report($number, "closed: $!") if !defined $process;
        if (!$process) {
            $SIG{ALRM} = 'DEFAULT';
            alarm 1;
            exit(gethostbyname("$word.test") ? 0 : 1);
        }
        $child{$process} = $number;
        return;
    }
    if ($kind eq 'unix' || $kind eq 'abstract') {
        socket my $socket, AF_UNIX, SOCK_STREAM, 0 or return report($number, "closed: $!");
        my $to = pack_sockaddr_un($kind eq 'abstract' ? "\0$host" : $host);
        return report($number, connect($socket, $to) ? 'open' : "closed: $!");
    }
    if ($kind eq 'vsock') {
        # Family 40, in Perl without a name; the address is family, nothing, port and CID. Nobody has the port: a refusal comes from there.
        socket my $socket, 40, SOCK_STREAM, 0 or return report($number, "closed: $!");
        fcntl $socket, F_SETFL, O_NONBLOCK;
        my $connected = connect $socket, pack('SSLLx4', 40, 0, $port, $host);
        my $is_closed = !$connected && ($!{ENODEV} || $!{ENETUNREACH} || $!{EADDRNOTAVAIL} || $!{EPERM} || $!{EACCES} || $!{EINVAL});
        return report($number, $is_closed ? "closed: $!" : 'open');
    }
    my $to = address($kind, $host, $port);
    my $family = $kind =~ /6$/ ? AF_INET6 : AF_INET;
    my ($type, $protocol) = $kind =~ /^tcp/ ? (SOCK_STREAM, 0) : $kind eq 'icmp' ? (SOCK_RAW, 1) : (SOCK_DGRAM, 0);
    socket my $socket, $family, $type, $protocol or return report($number, "closed: $!");
    fcntl $socket, F_SETFL, O_NONBLOCK;
    my $connected = $host =~ /^ff/ || connect $socket, $to;
    return report($number, "closed: $!") if !$connected && $! != EINPROGRESS;
    if ($kind !~ /^tcp/) {
        my $message = $kind eq 'icmp' ? echo_request($word) : $kind eq 'dns' ? query($word) : $word;
        my $sent = $host =~ /^ff/ ? send($socket, $message, 0, $to) : send($socket, $message, 0);
        return report($number, "closed: $!") if !defined $sent;
    }
    $waiting{fileno $socket} = [$number, $kind, $socket, $word];
}

sub progress {
    my ($descriptor, $readable) = @_;
    my ($number, $kind, $socket, $word) = @{ $waiting{$descriptor} };
    if ($kind =~ /^tcp/) {
        my $error = unpack 'i', getsockopt($socket, SOL_SOCKET, SO_ERROR);
        if ($error) {
            $! = $error;
            report($number, "closed: $!");
        } else {
            syswrite $socket, $word;
            report($number, 'open');
        }
    } else {
        return if !$readable;
        my $from = recv $socket, my $answer, 2048, 0;
        if (!defined $from) {
            report($number, "closed: $!");
        } elsif ($kind eq 'icmp') {
            # Behind the header of the packet that it came in.
            my $type = unpack 'C', substr($answer, 4 * (ord($answer) & 15));
            return if $type == 8;
            report($number, $type == 0 ? 'open' : "closed: ICMP message $type");
        } else {
            report($number, 'open');
        }
    }
    delete $waiting{$descriptor};
}

# Without the fixture server nothing else that does not answer would prove anything.
$SIG{ALRM} = sub { report(0, 'closed: no answer'); exit 0 };
alarm 20;
my ($host, $port) = split / /, $server;
socket my $control, AF_INET, SOCK_STREAM, 0 or die "no socket: $!\n";
if (!connect $control, pack_sockaddr_in($port, inet_aton($host))) {
    report(0, "closed: $!");
    exit 0;
}
alarm 0;
report(0, 'open');

begin(split / /) for @ways;
# What answers at all does so at once: everything is on this machine. A second of silence is enough.
my $silence = 0;
while (%waiting && $silence < 5) {
    my ($read, $write) = ('', '');
    for my $descriptor (keys %waiting) {
        my $of = $waiting{$descriptor}[1] =~ /^tcp/ ? \$write : \$read;
        vec($$of, $descriptor, 1) = 1;
    }
    $silence = select($read, $write, undef, 0.2) ? 0 : $silence + 1;
    for my $descriptor (keys %waiting) {
        my $readable = vec $read, $descriptor, 1;
        progress($descriptor, $readable) if $readable || vec $write, $descriptor, 1;
    }
}
report($_->[0], 'closed: no answer') for values %waiting;
while ((my $process = wait) > 0) {
    report($child{$process}, $? == 0 ? 'open' : 'closed: no such name');
}

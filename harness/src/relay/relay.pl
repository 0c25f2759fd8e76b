# The relay: the fixture server's stand-in on a run's network. Its standard input and output carry frames: what arrives at its port
# goes to the fixture server, and what the suite asks containers comes the other way.
# Arguments: the port, the window of a connection in bytes, how many connections an address may have, how many there may be in all.
#
# A frame is a kind (one byte), the number of a connection and the length of what follows (both 32 bits, the highest byte first).
# To the relay: c connect to ADDRESS PORT; d data; e no more data; w so many bytes were taken; x end the connection.
# From it: r the port is open, which one; a a connection from ADDRESS PORT at NANOSECONDS; f one that found no room, from whom as in a;
# o connected; d, e and w as above; x it ended, and why.
use strict;
use warnings;
use Errno qw(EAGAIN EINPROGRESS EINTR);
use Fcntl qw(F_GETFL F_SETFL O_NONBLOCK);
use POSIX ();
use Socket;

my ($port, $window, $of_an_address, $at_once) = @ARGV;
# The largest piece of data, and how much may wait for the standard output before no more is read from connections.
my ($piece, $waiting) = (32_768, 1 << 20);
# How often something is sent at the least, in seconds: silence is no sign of life.
my $often = 5;
my $last = time;
# clock_gettime(2), by the machine: there is no module with it in the smallest of distributions.
my %clock = (x86_64 => 228, aarch64 => 113, riscv64 => 113, loongarch64 => 113, ppc64le => 246, s390x => 260);
my $clock = $clock{ (POSIX::uname())[4] };

$ENV{LC_ALL} = 'C';
$SIG{PIPE} = 'IGNORE';
$SIG{TERM} = sub { exit 0 };

my (%open, %of_address, $listener, $is_full);
my ($in, $out, $next) = ('', '', 0);

sub unblocked { fcntl $_[0], F_SETFL, (fcntl $_[0], F_GETFL, 0) | O_NONBLOCK or die "cannot prepare a descriptor: $!\n" }
sub frame { $out .= pack('a N N', $_[0], $_[1], length $_[2]) . $_[2] }
sub retry { $!{EAGAIN} || $!{EINTR} }

# Nanoseconds since 1970 by the engine's clock; 0 where it cannot be asked.
sub now {
    return 0 if !$clock;
    my $time = pack 'l!l!', 0, 0;
    return 0 if syscall($clock, 0, $time) != 0;
    my ($seconds, $rest) = unpack 'l!l!', $time;
    return $seconds * 1_000_000_000 + $rest;
}

sub add {
    my ($number, $socket, %more) = @_;
    unblocked($socket);
    $open{$number} = { socket => $socket, out => '', credit => $window, taken => 0, %more };
}

sub drop {
    my ($number, $why) = @_;
    my $connection = delete $open{$number} or return;
    $is_full = 0;
    my $from = $connection->{from};
    delete $of_address{$from} if defined $from && --$of_address{$from} < 1;
    frame('x', $number, $why) if defined $why;
    close $connection->{socket};
}

# Ends what has nothing more to carry in either direction.
sub settle {
    my ($number) = @_;
    my $connection = $open{$number} or return;
    return if length $connection->{out} || $connection->{connecting};
    return drop($number) if $connection->{closing};
    return if defined $connection->{broken};
    shutdown $connection->{socket}, 1 if $connection->{no_more} && !$connection->{shut}++;
    drop($number) if $connection->{shut} && $connection->{ended};
}

sub accepted {
    my $from = accept((my $socket), $listener);
    # Without descriptors nothing can be accepted before something has ended.
    return $is_full = $!{EMFILE} || $!{ENFILE} if !$from;
    my ($port, $address) = unpack_sockaddr_in($from);
    $address = inet_ntoa($address);
    # More than anyone needs: whoever asks for so many has been told of before.
    return if ($of_address{$address} || 0) >= $of_an_address;
    my $who = join ' ', $address, $port, now();
    # Others have them all.
    return frame('f', 0, $who) if keys %open >= $at_once;
    $of_address{$address}++;
    # A client that was killed says no more: after 30 seconds it is asked three times, every ten (TCP_KEEPIDLE and the two after it).
    setsockopt $socket, SOL_SOCKET, SO_KEEPALIVE, 1;
    setsockopt $socket, 6, $_->[0], $_->[1] for [4, 30], [5, 10], [6, 3];
    add($next += 2, $socket, from => $address);
    frame('a', $next, $who);
}

sub connecting {
    my ($number, $to) = @_;
    my ($address, $port) = split / /, $to;
    socket my $socket, AF_INET, SOCK_STREAM, 0 or return frame('x', $number, "$!");
    add($number, $socket, connecting => 1);
    return if connect $socket, pack_sockaddr_in($port, inet_aton($address));
    drop($number, "$!") if !$!{EINPROGRESS};
}

sub connected {
    my ($number) = @_;
    my $connection = $open{$number};
    if (my $error = unpack 'i', getsockopt($connection->{socket}, SOL_SOCKET, SO_ERROR)) {
        $! = $error;
        return drop($number, "$!");
    }
    delete $connection->{connecting};
    frame('o', $number, '');
    settle($number);
}

# Ends a client's connection that broke, once no more of it may be read: whoever writes to it takes nothing and would wait for ever.
sub give_up {
    my ($number) = @_;
    my $connection = $open{$number} or return;
    return if !defined $connection->{broken} || !defined $connection->{from} || $connection->{credit} > 0;
    drop($number, $connection->{broken});
}

sub received {
    my ($number) = @_;
    my $connection = $open{$number};
    my $most = $connection->{credit} < $piece ? $connection->{credit} : $piece;
    my $count = sysread $connection->{socket}, (my $data), $most;
    if (!defined $count) {
        drop($number, $connection->{broken} // "$!") if !retry();
    } elsif ($count) {
        $connection->{credit} -= $count;
        frame('d', $number, $data);
        give_up($number);
    } elsif (defined $connection->{broken}) {
        # What looks like an end is the break that the write has told of.
        drop($number, $connection->{broken});
    } else {
        $connection->{ended} = 1;
        frame('e', $number, '');
        settle($number);
    }
}

sub sent {
    my ($number) = @_;
    my $connection = $open{$number};
    my $count = syswrite $connection->{socket}, $connection->{out}, $piece;
    if (!defined $count) {
        return if retry();
        # What came before the break is still there to be read.
        ($connection->{broken}, $connection->{out}) = ("$!", '');
        drop($number, $connection->{broken}) if $connection->{ended} || $connection->{closing};
        return give_up($number);
    }
    substr $connection->{out}, 0, $count, '';
    $connection->{taken} += $count;
    if (!length $connection->{out} || $connection->{taken} * 4 > $window) {
        frame('w', $number, pack 'N', $connection->{taken});
        $connection->{taken} = 0;
    }
    settle($number);
}

sub ordered {
    my ($kind, $number, $data) = @_;
    return connecting($number, $data) if $kind eq 'c';
    # What has ended meanwhile is no longer there to be told.
    my $connection = $open{$number} or return;
    $connection->{out} .= $data if $kind eq 'd' && !defined $connection->{broken};
    $connection->{credit} += unpack 'N', $data if $kind eq 'w';
    $connection->{no_more} = 1 if $kind eq 'e';
    $connection->{closing} = 1 if $kind eq 'x';
    return drop($number) if $kind eq 'x' && $connection->{connecting};
    settle($number);
}

socket $listener, AF_INET, SOCK_STREAM, 0 or die "no socket: $!\n";
setsockopt $listener, SOL_SOCKET, SO_REUSEADDR, 1;
bind $listener, pack_sockaddr_in($port, INADDR_ANY) or die "port $port: $!\n";
listen $listener, 1024 or die "port $port: $!\n";
unblocked($_) for $listener, \*STDIN, \*STDOUT;
frame('r', 0, (unpack_sockaddr_in getsockname $listener)[0]);

while (1) {
    my ($read, $write) = ('', '');
    vec($read, fileno STDIN, 1) = 1;
    vec($read, fileno $listener, 1) = 1 if !$is_full;
    vec($write, fileno STDOUT, 1) = 1 if length $out;
    my $has_room = length $out < $waiting;
    for my $connection (values %open) {
        my $descriptor = fileno $connection->{socket};
        vec($write, $descriptor, 1) = 1 if $connection->{connecting} || length $connection->{out};
        vec($read, $descriptor, 1) = 1
            if $has_room && $connection->{credit} > 0 && !$connection->{connecting} && !$connection->{ended} && !$connection->{closing};
    }
    my $ready = select $read, $write, undef, $often;
    if (time - $last >= $often || time < $last) {
        frame('r', 0, '') if !length $out;
        $last = time;
    }
    next if $ready < 1;
    for my $number (keys %open) {
        my $descriptor = fileno $open{$number}{socket};
        if (vec $write, $descriptor, 1) {
            $open{$number}{connecting} ? connected($number) : sent($number);
        }
        received($number) if $open{$number} && vec $read, $descriptor, 1;
    }
    accepted() if vec $read, fileno $listener, 1;
    if (vec $read, fileno STDIN, 1) {
        my $count = sysread STDIN, $in, 65_536, length $in;
        die "cannot read frames: $!\n" if !defined $count && !retry();
        # Whom it worked for has gone.
        exit 0 if defined $count && !$count;
        while (length $in >= 9) {
            my ($kind, $number, $length) = unpack 'a N N', $in;
            last if length $in < 9 + $length;
            ordered($kind, $number, substr $in, 9, $length);
            substr $in, 0, 9 + $length, '';
        }
    }
    if (length $out) {
        my $count = syswrite STDOUT, $out, 65_536;
        die "cannot write frames: $!\n" if !defined $count && !retry();
        substr $out, 0, $count, '' if $count;
    }
}

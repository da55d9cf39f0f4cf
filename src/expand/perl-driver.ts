/**
 * The Perl side of embedded Perl: a program that is given to a real perl with -e. It reads frames from its standard
 * input and writes frames to what was its standard output; the subroutines themselves print to nowhere.
 *
 * A frame is a letter, a count of four octets, and that many strings, each behind its own length of four octets.
 */

/** In frames to Perl: S startup code, C call, V value of an expansion, U undefined value, E failed expansion. */
/** In frames from Perl: S started, R returned, U undefined, D died, X expand, L log line, G debug output. */
export const perlDriver = String.raw`
package Exim;
use strict;
open(my $answers, '>&', \*STDOUT) or exit 1;
open(STDOUT, '>', '/dev/null');
binmode($_) for ($answers, \*STDIN);
{ my $old = select($answers); $| = 1; select($old); }
my $questions;
open($questions, '<&', \*STDIN) or exit 1;
open(STDIN, '<', '/dev/null');
binmode($questions);
sub octets { my $text = shift; $text = '' unless defined $text; $text = "$text"; utf8::encode($text) if utf8::is_utf8($text); return $text }
sub put { my ($letter, @texts) = @_; print {$answers} $letter, pack('N', scalar @texts), map { my $o = octets($_); pack('N', length $o) . $o } @texts }
sub take { my $length = shift; my $text = ''; while (length($text) < $length) { my $got = read($questions, $text, $length - length($text), length($text)); exit 0 unless $got } return $text }
sub frame { my $letter = take(1); my $count = unpack('N', take(4)); my @texts; push @texts, take(unpack('N', take(4))) for 1 .. $count; return ($letter, @texts) }
sub call_sub {
  my ($name, @arguments) = @_;
  my ($error, $value);
  { package main; no strict 'refs'; local $@; local $_;
    eval { $value = &{"$name"}(@arguments); 1 } or do { $error = defined $@ ? "$@" : ''; $error =~ s/ at -e line \d+\.\n\z/.\n/ };
  }
  return defined $error ? put('D', $error) : defined $value ? put('R', $value) : put('U');
}
sub expand_string {
  put('X', $_[0]);
  while (1) {
    my ($letter, @texts) = frame();
    if ($letter eq 'C') { call_sub(@texts) }
    elsif ($letter eq 'V') { return $texts[0] }
    elsif ($letter eq 'U') { return undef }
    else { require Carp; my (undef, $file, $line) = caller; die "$texts[0] at $file line $line.\n" }
  }
}
sub log_write { put('L', $_[0]) }
sub debug_write { put('G', $_[0]) }
$SIG{__WARN__} = sub { my $text = $_[0]; chomp $text; put('L', $text) };
my (undef, $code) = frame();
($code) = $code =~ /(.*)/s;
eval '1';
{ package main; no strict; eval $code }
put('S', $@);
while (1) { my ($letter, @texts) = frame(); call_sub(@texts) if $letter eq 'C' }
`;

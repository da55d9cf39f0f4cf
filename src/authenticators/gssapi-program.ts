/**
 * The Perl side of the heimdal_gssapi authenticator: subroutines around the module GSSAPI, which is the Kerberos library of
 * the system. They answer with a letter and a text: E why it failed, C a token, and the client has to say more, D a token
 * when all is agreed on, W a wrapped text, and U who the client is, a NUL, and whom it wants to act as.
 *
 * What a client may do is bounded by who calls: octets of a token, and how many there are.
 */

export const gssapiProgram = String.raw`
use strict;
my $missing = eval { require GSSAPI; require GSSAPI::Status; 1 } ? '' : 'the Perl module GSSAPI is not installed';
my %sessions;
sub good { my $major = $_[0]->major; return $major == GSSAPI::GSS_S_COMPLETE() || $major == GSSAPI::GSS_S_CONTINUE_NEEDED() }
sub words { my $status = shift; my @words = grep { defined $_ && length $_ } ($status->generic_message, $status->specific_message); return 'E' . join(': ', @words) }
sub acceptor {
  my ($keytab, $service) = @_;
  return "E$missing" if length $missing;
  if (length $keytab) { $ENV{KRB5_KTNAME} = "FILE:$keytab" } else { delete $ENV{KRB5_KTNAME} }
  my ($name, $credentials, $mechanisms, $time);
  my $status = GSSAPI::Name->import($name, $service, GSSAPI::OID::gss_nt_hostbased_service());
  return words($status) unless good($status);
  # no other: an empty token would begin a negotiation about which
  my $kerberos = GSSAPI::OID::Set->new;
  $kerberos->insert(GSSAPI::OID::gss_mech_krb5());
  $status = GSSAPI::Cred::acquire_cred($name, 0, $kerberos, GSSAPI::GSS_C_ACCEPT(), $credentials, $mechanisms, $time);
  return words($status) unless good($status);
  return ('', $credentials);
}
sub gss_ready { my ($problem) = acceptor(@_); return $problem }
sub gss_accept {
  my ($id, $keytab, $service, $token) = @_;
  my $session = $sessions{$id};
  unless ($session) {
    my ($problem, $credentials) = acceptor($keytab, $service);
    return $problem if length $problem;
    $session = $sessions{$id} = { credentials => $credentials };
  }
  my ($client, $answer, $flags, $time, $delegated);
  my $context = $session->{context};
  my $status = GSSAPI::Context::accept($context, $session->{credentials}, $token,
    GSSAPI::GSS_C_NO_CHANNEL_BINDINGS(), $client, undef, $answer, $flags, $time, $delegated);
  $session->{context} = $context;
  return words($status) unless good($status);
  $answer = '' unless defined $answer;
  return "C$answer" if $status->major == GSSAPI::GSS_S_CONTINUE_NEEDED();
  my $display;
  $status = $client->display($display);
  return words($status) unless good($status);
  $session->{client} = $display;
  return "D$answer";
}
sub gss_wrap {
  my ($id, $text) = @_;
  my ($state, $wrapped);
  my $status = $sessions{$id}{context}->wrap(0, 0, $text, $state, $wrapped);
  return good($status) ? "W$wrapped" : words($status);
}
sub gss_unwrap {
  my ($id, $wrapped) = @_;
  my ($text, $state, $quality);
  my $status = $sessions{$id}{context}->unwrap($wrapped, $text, $state, $quality);
  return words($status) unless good($status);
  return 'Eno security layer was offered' unless defined $text && length $text >= 4 && substr($text, 0, 1) eq "\1";
  return "U$sessions{$id}{client}\0" . substr($text, 4);
}
sub gss_end { delete $sessions{$_[0]}; return '' }
`;

exim_user = @USER@
exim_group = @GROUP@
spool_directory = @DIR@/spool
log_file_path = @DIR@/log/%slog
primary_hostname = here.example
keep_environment =
exim_path = @DIR@/bin/exim
trusted_users = @USER@
acl_smtp_mail = m
acl_smtp_rcpt = accept
acl_smtp_data = t

begin acl
m:
  warn spf_guess = pass : fail
    logwrite = pass or fail
  warn logwrite = r=<$spf_result> g=<$spf_result_guessed> hc=<$spf_header_comment> rec=<$spf_received> sc=<$spf_smtp_comment> guess=$spf_guess
  accept

t:
  warn logwrite = data: <$spf_result> guessed=$spf_result_guessed
       logwrite = ${authresults {here.example}}

  accept
begin routers
r:
  driver = accept
  transport = t
begin transports
t:
  driver = appendfile
  file = /dev/null

-- The server reads the three tables and nothing else. psql sets the variable.

SELECT format('GRANT SELECT ON transport, users, aliases TO %I', :'role') \gexec

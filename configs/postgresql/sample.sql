-- Rows to begin with; psql sets the variables. Those that are there already stay as they are.

INSERT INTO transport (domain, local)
SELECT * FROM (VALUES (:'domain', true), ('localhost', true), ('backup.example', false)) AS row (domain, local)
WHERE NOT EXISTS (SELECT 1 FROM transport WHERE transport.domain = row.domain);

INSERT INTO users (email, username, maildir, mail, name)
SELECT local_part || '@' || :'domain', local_part, :'domain' || '/' || local_part, mail, name
FROM (VALUES ('ann', true, 'Ann Example'), ('eric', true, 'Eric Example'), ('postmaster', true, 'The postmaster'),
      ('off', false, 'Gets no mail')) AS row (local_part, mail, name)
WHERE NOT EXISTS (SELECT 1 FROM users WHERE users.username = row.local_part);

INSERT INTO aliases (source, destination, customer_id)
SELECT source || '@' || :'domain', destination, 1000
FROM (VALUES ('sales', 'ann@' || :'domain' || ', eric@' || :'domain'), ('abuse', 'postmaster@' || :'domain'))
  AS row (source, destination)
WHERE NOT EXISTS (SELECT 1 FROM aliases WHERE aliases.source = row.source || '@' || :'domain');

INSERT INTO aliases (source, destination, customer_id)
SELECT 'root@localhost', 'postmaster@' || :'domain', 1000
WHERE NOT EXISTS (SELECT 1 FROM aliases WHERE source = 'root@localhost');

-- mail for eric goes through a filter when there is one: he alone decides who may write to him
INSERT INTO aliases (source, destination, customer_id)
SELECT 'eric@' || :'domain', '|' || :'filter', 1000
WHERE :'filter' <> '' AND NOT EXISTS (SELECT 1 FROM aliases WHERE source = 'eric@' || :'domain');

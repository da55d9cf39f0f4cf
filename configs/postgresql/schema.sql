-- The tables that govern mail delivery. Column id of users was missing where its sequence and a query asked for it.

-- Local domains; local='f' keeps a domain in the table without delivering it here.
CREATE TABLE transport ( "domain" character varying(64) NOT NULL, "local" boolean DEFAULT false NOT NULL );
ALTER TABLE ONLY transport ADD CONSTRAINT transport_key PRIMARY KEY ("domain");

-- Users: mail='f' takes mail away, spamlimit is the score above which a message goes to Junk.
CREATE SEQUENCE users_id_seq INCREMENT BY 1;
CREATE TABLE users ( id integer DEFAULT nextval('users_id_seq'), email character varying(64), username character varying(64) NOT NULL, "password" character varying(32), maildir character varying(127), mail boolean DEFAULT false, spamlimit integer DEFAULT 7, active boolean DEFAULT true, name character varying(127) );
CREATE UNIQUE INDEX users_username_idx ON users USING btree (username);
CREATE INDEX users_email_idx ON users USING btree (email);

-- Aliases: destination is an address, several with commas between them, a pipe or a file.
CREATE TABLE aliases ( source character varying(127), destination character varying(255), customer_id integer );
CREATE INDEX aliases_source_idx ON aliases USING btree (source);

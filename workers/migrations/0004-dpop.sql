-- Made by `npm run schema:d1`: do not edit.
alter table codes add column dpop_jkt text;
alter table refresh_tokens add column dpop_jkt text;
insert into schema_migrations (name, checksum, applied_at) values ('0004-dpop', '6880d808be956c2416dfd3299e461da6f68d954ed7c1321470d9c769e5c18578', 0);

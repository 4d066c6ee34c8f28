-- Made by `npm run schema:d1`: do not edit.
alter table sessions add column amr text;
alter table sessions add column sid text;
alter table codes add column amr text;
alter table codes add column sid text;
alter table refresh_tokens add column amr text;
alter table device_codes add column amr text;
insert into schema_migrations (name, checksum, applied_at) values ('0010-sign-in-facts', 'd19c059e8702823fea812ae46228381bd3fbded29d5d57124a8914522ca86342', 0);

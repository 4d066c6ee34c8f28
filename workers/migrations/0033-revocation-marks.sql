-- Made by `npm run schema:d1`: do not edit.
alter table revoked_tokens add column last_event text;
insert into schema_migrations (name, checksum, applied_at) values ('0033-revocation-marks', '3341112409b112ea923f44f8eb2c1d1e5215ff31c1b5c063c94800841ce89ea0', 0);

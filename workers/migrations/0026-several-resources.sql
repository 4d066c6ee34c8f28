-- Made by `npm run schema:d1`: do not edit.
alter table grants add column approved_with text;
create unique index grants_approval on grants (tenant, approved_with, resource) where approved_with is not null;
insert into schema_migrations (name, checksum, applied_at) values ('0026-several-resources', '4b40164ed86e87087112cb0379749b4721aecbf9e19367ba60e8ccb97a354576', 0);

-- Made by `npm run schema:d1`: do not edit.
alter table refresh_tokens drop column successor;
insert into schema_migrations (name, checksum, applied_at) values ('0009-derived-successors', '280efd5f3e4372650638a79a84062ffe6e2019c26a512a113f19e932d899e3da', 0);

/**
 * `npm run schema:supabase`: writes supabase/schema.sql from the migrations. A schema and a role of its own: Supabase hands tables of `public` to everybody by
 * default, and this way there is nothing to hand out.
 */
import { writeFileSync } from 'node:fs';
import { schemaScript, tablesOf } from '../server/src/runtimes/node.ts';

export async function supabaseSchema(): Promise<string> {
  const tables = [...tablesOf(), 'schema_migrations', 'facts'].toSorted();
  return `-- Auth-Agent MCP on Supabase, or on any Postgres that others share. Made from the migrations by \`npm run schema:supabase\`: do not edit.
--
--   1. Run this file in the SQL editor, once.
--   2. alter role auth_agent password '<a long random one>';
--   3. AUTH_AGENT_DATABASE_URL=postgres://auth_agent.<project>:<password>@<pooler in session mode>:5432/postgres auth-agent start
--
-- Later versions bring the tables up to date with \`auth-agent db migrate\`; then run the last block of this file again.
-- A backup brings its own tables: run only the first four statements, restore it, then run the last block (DEPLOYMENT.md, "Restore").

create role auth_agent login;
grant auth_agent to current_user;
create schema auth_agent authorization auth_agent;
alter role auth_agent set search_path = auth_agent;

set role auth_agent;
set search_path = auth_agent;

${await schemaScript('postgres')}

reset role;
reset search_path;

-- Nobody but the server may look, whatever is exposed one day: row level security without a policy lets only the owner through.

${tables.map((name) => `alter table auth_agent.${name} enable row level security;`).join('\n')}

do $$
declare
  found record;
begin
  revoke all on schema auth_agent from public;
  for found in select tablename from pg_tables where schemaname = 'auth_agent' loop
    execute format('alter table auth_agent.%I enable row level security', found.tablename);
    execute format('revoke all on auth_agent.%I from public', found.tablename);
  end loop;
  for found in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
    execute format('revoke all on schema auth_agent from %I', found.rolname);
    execute format('revoke all on all tables in schema auth_agent from %I', found.rolname);
  end loop;
end
$$;
`;
}

if (import.meta.main) writeFileSync(new URL('../supabase/schema.sql', import.meta.url), await supabaseSchema());

/** Stands in for `pg` in the bundle of a Worker on D1 (wrangler.toml, [alias]), which is smaller without it. */
export default {
  get Pool(): never {
    throw new Error('This Worker was bundled without Postgres: take the line of pg out of [alias] in wrangler.toml and deploy again');
  },
};

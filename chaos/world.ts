/** What every node and every caller of the cluster under test knows: the issuer, one MCP server, an agent and a machine. */

export const issuer = 'https://auth.example.com';
export const resource = 'https://mcp.example.com/mcp';
export const scope = 'files:read files:write';
export const app = { id: 'client_chaos', redirectUri: 'http://127.0.0.1:4711/callback' };
export const machine = { id: 'machine_chaos', secret: 'machine-secret-of-the-chaos' };
/** RFC 7636 Appendix B. */
export const pkce = { verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk', challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM' };

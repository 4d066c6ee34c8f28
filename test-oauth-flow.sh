#!/usr/bin/env bash
# Walks through what an owner and a client do first, against a running server, and removes what it made. Six numbered lines; the first thing that is not as it
# should be ends it with status 1. Needs bash, curl and openssl.
#
#   ./test-oauth-flow.sh                                         development mode on http://localhost:9000
#   AUTH_AGENT_URL=https://auth.example.com AUTH_AGENT_OWNER_TOKEN=aat_… ./test-oauth-flow.sh
#
# AUTH_AGENT_CLIENT_ID names a client to use; without it one is registered (RFC 7591).
set -euo pipefail

url=${AUTH_AGENT_URL:-http://localhost:9000}
url=${url%/}
owner=${AUTH_AGENT_OWNER_TOKEN:-}
redirect=http://localhost:3000/callback
step=1
server_id=
status=
body=

ok() {
  printf '%d ✓ %s\n' "$step" "$1"
  step=$((step + 1))
}

fail() {
  printf '%d ✗ %s\n' "$step" "$1" >&2
  exit 1
}

# call CREDENTIAL ARGUMENT…: sets $status and $body. The credential goes through a pipe: arguments can be read by everybody on this computer.
call() {
  local credential=$1 answer
  shift
  answer=$(printf '%s' "${credential:+header = \"Authorization: Bearer $credential\"}" | curl -sS -K - --max-time 10 -w '\n%{http_code}' "$@") ||
    fail "Nobody answers at $url. In a clone, npm start starts a server"
  status=${answer##*$'\n'}
  body=${answer%$'\n'*}
}

# expect STATUS WHAT
expect() { [ "$status" = "$1" ] || fail "$2: expected $1, got $status $body"; }

# member NAME: a text member of $body
member() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" <<<"$body"; }

# urlencode TEXT
urlencode() {
  local text=$1 out='' char i
  for ((i = 0; i < ${#text}; i++)); do
    char=${text:i:1}
    case $char in [A-Za-z0-9._~-]) out+=$char ;; *) out+=$(printf '%%%02X' "'$char") ;; esac
  done
  printf '%s' "$out"
}

base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }

remove_server() {
  [ -z "$server_id" ] || call "$owner" -X DELETE "$url/api/servers/$server_id" || true
}
trap remove_server EXIT

# 1. Register an MCP server.
resource="https://test-$(openssl rand -hex 8).example.com"
call "$owner" -X POST "$url/api/servers" -H 'Content-Type: application/json' \
  -d "{\"server_url\":\"$resource\",\"server_name\":\"OAuth flow test\",\"scopes\":[\"files:read\",\"files:write\"]}"
[ "$status" != 401 ] || fail "$url wants an owner token: set AUTH_AGENT_OWNER_TOKEN (auth-agent owner-tokens create)"
expect 201 'registering a server'
server_id=$(member server_id)
ok "Registered a test MCP server: $server_id"

# 2. Generate an API key.
call "$owner" -X POST "$url/api/servers/$server_id/keys" -H 'Content-Type: application/json' -d '{"name":"OAuth flow test","expires_in":3600}'
expect 201 'making a key'
key_id=$(member key_id)
key_secret=$(member key_secret)
[[ $key_secret == "${key_id}_"* ]] || fail 'the key_secret does not contain the key_id'
ok "Generated an API key: $key_id"

# 3. Discovery: the server (RFC 8414), the resource (RFC 9728), the keys.
call '' "$url/.well-known/oauth-protected-resource/$server_id"
expect 200 'metadata of the MCP server'
[ "$(member resource)" = "$resource" ] || fail "the metadata of $server_id names another resource: $body"
call '' "$url/.well-known/jwks.json"
expect 200 'public keys'
[[ $body == *'"kty":'* ]] || fail 'there are no public keys'
call '' "$url/.well-known/oauth-authorization-server"
expect 200 'metadata of the server'
[ "$(member issuer)" = "$url" ] || fail "it calls itself $(member issuer); set AUTH_AGENT_URL to exactly that"
[[ $body == *'"code_challenge_methods_supported":["S256"]'* ]] || fail 'PKCE with S256 is not what it offers'
authorize=$(member authorization_endpoint)
introspect=$(member introspection_endpoint)
register=$(member registration_endpoint)
ok "Discovery: issuer $url, resource $resource"

# 4. PKCE (RFC 7636); the example of its appendix B first.
challenge_of() { printf '%s' "$1" | openssl dgst -sha256 -binary | base64url; }
[ "$(challenge_of dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk)" = E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM ] || fail 'openssl computes another S256 than RFC 7636'
verifier=$(openssl rand 32 | base64url)
challenge=$(challenge_of "$verifier")
ok "PKCE challenge: $challenge"

# 5. Authorization URL, as a browser opens it.
client_id=${AUTH_AGENT_CLIENT_ID:-}
if [ -z "$client_id" ]; then
  [ -n "$register" ] || fail 'clients cannot register themselves here: set AUTH_AGENT_CLIENT_ID'
  call '' -X POST "$register" -H 'Content-Type: application/json' \
    -d "{\"client_name\":\"OAuth flow test\",\"redirect_uris\":[\"$redirect\"],\"token_endpoint_auth_method\":\"none\"}"
  expect 201 'registering a client'
  client_id=$(member client_id)
fi
request="$authorize?response_type=code&client_id=$(urlencode "$client_id")&redirect_uri=$(urlencode "$redirect")"
request+="&scope=files%3Aread&state=$(openssl rand -hex 8)&resource=$(urlencode "$resource")"
call '' -i "$request&code_challenge_method=plain&code_challenge=$challenge"
[[ $body == *error=invalid_request* ]] || fail "code_challenge_method=plain was answered $status and not refused"
request+="&code_challenge=$challenge&code_challenge_method=S256"
call '' -L --max-redirs 3 -H 'Accept: text/html' "$request"
expect 200 'opening the authorization URL'
[[ $body == *'name="password"'* ]] || fail 'the authorization URL does not lead to the sign-in page'
ok "Authorization URL: $request"

# 6. Introspection (RFC 7662): for the key only, and an unknown token is inactive.
call "$key_secret" -X POST "$introspect" -d token=unknown
expect 200 introspection
[[ $body == '{"active":false}' ]] || fail "an unknown token was answered $body"
call '' -X POST "$introspect" -d token=unknown
expect 401 'introspection without a key'
call "$key_id" -X POST "$introspect" -d token=unknown
expect 401 'introspection with the id of the key'
[[ $body == *key_id_used_as_secret* ]] || fail 'a key id in place of the secret is not explained'
ok 'Introspection: an unknown token is inactive, and nobody asks without the key'

printf 'All of it works.\n'

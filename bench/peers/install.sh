#!/bin/sh
# Installs peers of the benchmark, each pinned and in its own folder, outside the root installation. What is not installed is left out of the results.
#   bench/peers/install.sh                                     every peer
#   bench/peers/install.sh node-oidc-provider|better-auth      by npm, from its own lock
#   bench/peers/install.sh keycloak                            by Maven; needs Java 17 or newer, Maven, and for a run Postgres
set -eu
cd "$(dirname "$0")"

keycloak_version=26.4.7
keycloak_sha256=aca60ab72ae4d67adc6b8fe7fca5e08d16a6bb5e4a4f2ebb54050e3f5503fd2b

keycloak() {
  for command in java mvn; do command -v "$command" >/dev/null || { echo "keycloak needs $command" >&2; return 1; }; done
  rm -rf keycloak/dist
  mkdir -p keycloak/dist
  # With the plugin's version, or Maven takes the newest.
  (cd keycloak/dist && mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy -DoutputDirectory=. \
    -Dartifact="org.keycloak:keycloak-quarkus-dist:$keycloak_version:tar.gz")
  archive=keycloak/dist/keycloak-quarkus-dist-$keycloak_version.tar.gz
  echo "$keycloak_sha256  $archive" | sha256sum -c --quiet -
  tar xzf "$archive" -C keycloak/dist --strip-components 1
  rm "$archive"
  # What is known at build time, so that `start --optimized` has nothing left to do.
  keycloak/dist/bin/kc.sh build --db=postgres
}

[ $# -gt 0 ] || set -- node-oidc-provider better-auth keycloak
for peer in "$@"; do
  case "$peer" in
    node-oidc-provider | better-auth) npm ci --ignore-scripts --prefix "$peer" ;;
    keycloak) keycloak ;;
    *) sed -n '2,5p' install.sh >&2; exit 2 ;;
  esac
  echo "$peer is installed"
done

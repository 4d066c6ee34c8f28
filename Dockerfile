# Auth-Agent MCP. The TypeScript runs as it is, so there is nothing to build: the image is Node, the sources and what they depend on.
FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY server/package.json server/
COPY cli/package.json cli/
COPY sdk/typescript/package.json sdk/typescript/
RUN npm ci --omit=dev --omit=optional --ignore-scripts --workspace=auth-agent-mcp

FROM node:24-slim
ENV NODE_ENV=production AUTH_AGENT_HOST=0.0.0.0 AUTH_AGENT_PORT=9000 AUTH_AGENT_LOG_FORMAT=json
WORKDIR /app
COPY --from=dependencies /app ./
COPY server/src server/src
COPY cli/src cli/src
COPY LICENSE ./
RUN printf '#!/bin/sh\nexec node --conditions=aa-source /app/cli/src/main.ts "$@"\n' > /usr/local/bin/auth-agent \
  && chmod 755 /usr/local/bin/auth-agent && install -d -o node -g node -m 700 /data
# Without a database URL of your own the data are here: mount a volume.
WORKDIR /data
VOLUME /data
USER node
EXPOSE 9000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9000/health/ready').then(({ok}) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["auth-agent"]
CMD ["start"]

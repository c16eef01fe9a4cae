# syntax=docker/dockerfile:1

# kshot as an image: `--target cpu` (the default) or `--target cuda`. The store is in /data; the server listens on all
# addresses of the container and therefore starts only with keys:
#
#   docker build -t kshot .
#   docker run --init -p 8080:8080 -v kshot-data:/data -e KSHOT_API_KEYS="$(openssl rand -hex 16)" kshot
#   docker build --target cuda -t kshot:cuda . && docker run --gpus all … kshot:cuda
#
# --init has `docker stop` end a container that is still starting, too.

# Native addons are built for its ABI, so it is the base of every stage but the one for CUDA.
ARG NODE_IMAGE=node:22-bookworm-slim
# Its C library must not be older than NODE_IMAGE's, where the native addons are built.
ARG CUDA_IMAGE=nvidia/cuda:12.6.3-cudnn-runtime-ubuntu24.04

# ---------------------------------------------------------------------------------------------------------------------
FROM ${NODE_IMAGE} AS toolchain
# For hnswlib-node, which is built at install, and better-sqlite3, which is where no build of it fits.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends g++ make python3 \
 && rm -rf /var/lib/apt/lists/*
# Node's headers are in the image; without this, node-gyp would fetch them.
ENV npm_config_nodedir=/usr/local
WORKDIR /app
COPY package.json package-lock.json .npmrc ./

# ---------------------------------------------------------------------------------------------------------------------
FROM toolchain AS build
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts
COPY tsconfig.json tsconfig.client.json ./
COPY src ./src
RUN npm run build && rm dist/.tsbuildinfo dist/.console.tsbuildinfo

# ---------------------------------------------------------------------------------------------------------------------
FROM toolchain AS dependencies
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev
# Binaries of other platforms, and a runtime for browsers that nothing here loads: two thirds of the size.
RUN find node_modules/onnxruntime-node/bin/napi-v6 -mindepth 1 -maxdepth 1 ! -name linux -exec rm -r {} + \
 && find node_modules/onnxruntime-node/bin/napi-v6/linux -mindepth 1 -maxdepth 1 ! -name "$(node -p process.arch)" -exec rm -r {} + \
 && rm -rf node_modules/onnxruntime-web
# What the image is made of, as the lock file says.
RUN npm run --silent sbom > sbom.cdx.json

# What `npm ci --onnxruntime-node-install=cuda12` does, on top of the above; newer versions of npm do not run it, as
# package.json denies it to those who have no GPU.
FROM dependencies AS cuda-dependencies
RUN ONNXRUNTIME_NODE_INSTALL=cuda12 node node_modules/onnxruntime-node/script/install \
 && test -f node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime_providers_cuda.so

# ---------------------------------------------------------------------------------------------------------------------
# All files of the image but its dependencies.
FROM scratch AS app
COPY package.json LICENSE /app/
COPY --from=build /app/dist /app/dist
COPY models /app/models
COPY data/demo.yml /app/data/

# ---------------------------------------------------------------------------------------------------------------------
FROM ${CUDA_IMAGE} AS cuda
COPY --from=toolchain /usr/local/bin/node /usr/local/bin/node
WORKDIR /app
COPY --from=cuda-dependencies /app/node_modules ./node_modules
COPY --from=cuda-dependencies /app/sbom.cdx.json ./
COPY --from=app /app ./
RUN groupadd --gid 10001 kshot \
 && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin kshot \
 && install --directory --owner=kshot --group=kshot /data
ENV NODE_ENV=production \
    ORT_DISABLE_TELEMETRY=1 \
    KSHOT_HOST=0.0.0.0 \
    KSHOT_PORT=8080 \
    KSHOT_DATA_DIR=/data \
    KSHOT_MODEL_CACHE=/data/cache \
    KSHOT_DEVICE=cuda
USER 10001:10001
# The addons load, the encoder reads, the store writes: else there is no image.
RUN node dist/src/main.js classify --bot demo --data-dir /tmp/check --device cpu "i lost my card" && rm -r /tmp/check
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.KSHOT_PORT + '/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/src/main.js"]
CMD ["serve"]

# ---------------------------------------------------------------------------------------------------------------------
# The last stage is the default target.
FROM ${NODE_IMAGE} AS cpu
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=dependencies /app/sbom.cdx.json ./
COPY --from=app /app ./
RUN groupadd --gid 10001 kshot \
 && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin kshot \
 && install --directory --owner=kshot --group=kshot /data
ENV NODE_ENV=production \
    ORT_DISABLE_TELEMETRY=1 \
    KSHOT_HOST=0.0.0.0 \
    KSHOT_PORT=8080 \
    KSHOT_DATA_DIR=/data \
    KSHOT_MODEL_CACHE=/data/cache \
    KSHOT_DEVICE=cpu
USER 10001:10001
# The addons load, the encoder reads, the store writes: else there is no image.
RUN node dist/src/main.js classify --bot demo --data-dir /tmp/check --device cpu "i lost my card" && rm -r /tmp/check
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.KSHOT_PORT + '/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/src/main.js"]
CMD ["serve"]

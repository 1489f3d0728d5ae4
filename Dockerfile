# The server in a container: built in one stage, run in another that has none of
# what built it. Without KEYFERRY_DATABASE_URL it does not start: the embedded
# Postgres is not in here.

FROM python:3.12-slim-bookworm AS build

# For networks that install through a mirror: docker build --build-arg PIP_INDEX_URL=...
ARG PIP_INDEX_URL
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /build

# The same path as below: the scripts of a virtual environment name their interpreter.
RUN python -m venv --without-pip /opt/keyferry

# Dependencies before the source: this layer changes only with the locks.
COPY server/build.lock server/requirements.lock ./
RUN pip install --require-hashes --only-binary :all: --requirement build.lock \
    && pip --python /opt/keyferry/bin/python install \
        --require-hashes --only-binary :all: --requirement requirements.lock

COPY protos protos
COPY migrations migrations
COPY server server
RUN pip wheel --no-deps --no-build-isolation --wheel-dir wheels ./protos ./migrations ./server \
    && pip --python /opt/keyferry/bin/python install --no-deps --no-index wheels/*.whl


FROM python:3.12-slim-bookworm

LABEL org.opencontainers.image.title="Keyferry" \
      org.opencontainers.image.description="Self-hosted key management service for bring-your-own-key" \
      org.opencontainers.image.licenses="Apache-2.0"

COPY --from=build /opt/keyferry /opt/keyferry
ENV PATH=/opt/keyferry/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1

# A number, so that an orchestrator can see that it is not root. It needs no entry
# in /etc/passwd and owns no file, so that any other number does as well.
USER 10001:10001

EXPOSE 8700 8701 8702

# It asks where KEYFERRY_METRICS_LISTEN says, past any proxy that the engine put into
# the environment; an answer other than 200 is an exception, and so a failure.
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; port = os.environ.get('KEYFERRY_METRICS_LISTEN', ':8702').rpartition(':')[2]; r.build_opener(r.ProxyHandler({})).open(f'http://127.0.0.1:{port}/health', timeout=4)"]

ENTRYPOINT ["keyferry-server"]
CMD ["serve"]

# Two stages: the first builds a virtual environment from the lock, the second holds nothing else. The base and each
# package are the very files that are named here by their digests.
FROM python:3.13-slim-trixie@sha256:9662417aace5ae7b8e2609cce472b72a8958e134ba372808abe9cc1a0c0125e6 AS build
# Charts need Chinese letters: one file of the package is enough for them.
RUN apt-get update && apt-get install --yes --no-install-recommends fonts-noto-cjk && rm -rf /var/lib/apt/lists/*
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/dingerp
ENV PATH=/opt/dingerp/bin:$PATH
WORKDIR /src
# The lock changes seldom: its layer is reused while only our own code changes.
COPY requirements-image.lock ./
RUN pip install --require-hashes --no-deps --requirement requirements-image.lock
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY bot bot
COPY commands commands
COPY templates templates
RUN pip install --no-deps .

FROM python:3.13-slim-trixie@sha256:9662417aace5ae7b8e2609cce472b72a8958e134ba372808abe9cc1a0c0125e6
# `dingerp db backup` and `db restore` call PostgreSQL's own programs, which must not be older than the server.
RUN apt-get update && apt-get install --yes --no-install-recommends postgresql-client-17 && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin dingerp \
 && install --directory --owner=dingerp --group=dingerp --mode=0700 /data
COPY --from=build /opt/dingerp /opt/dingerp
COPY --from=build /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc /usr/share/fonts/opentype/noto/
COPY --from=build /usr/share/doc/fonts-noto-cjk/copyright /usr/share/doc/fonts-noto-cjk/
# Stream mode needs no way in. The port serves health and metrics, and is published only where you publish it.
ENV PATH=/opt/dingerp/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DINGERP_DATA_DIR=/data \
    DINGERP_HTTP__HOST=0.0.0.0
USER dingerp
WORKDIR /data
VOLUME /data
EXPOSE 8788
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8788/healthz', timeout=3)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["dingerp"]
CMD ["run"]

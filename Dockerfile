# The server in a small image: docker build -t digitrec . && docker run --rm -p 5000:5000 digitrec
# It needs no write access: --read-only --cap-drop ALL --security-opt no-new-privileges all work.

FROM python:3.11.14-slim-bookworm@sha256:65a93d69fa75478d554f4ad27c85c1e69fa184956261b4301ebaf6dbb0a3543d AS build
WORKDIR /src
COPY pyproject.toml setup.cfg README.md LICENSE ./
COPY deploy/image-requirements.txt deploy/
COPY digitrec digitrec
RUN python3 -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --require-hashes --requirement deploy/image-requirements.txt \
    && /opt/venv/bin/pip install --no-cache-dir '.[web,heif]' \
    && /opt/venv/bin/pip uninstall --yes pip setuptools

FROM python:3.11.14-slim-bookworm@sha256:65a93d69fa75478d554f4ad27c85c1e69fa184956261b4301ebaf6dbb0a3543d
COPY --from=build /opt/venv /opt/venv
COPY deploy/healthcheck.py /opt/healthcheck.py
RUN install --directory --owner 10001 --group 10001 /data
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp
USER 10001:10001
WORKDIR /tmp
EXPOSE 5000
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s CMD ["python3", "/opt/healthcheck.py"]
ENTRYPOINT ["digitrec"]
CMD ["serve", "--host", "0.0.0.0"]

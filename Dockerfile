# expenseflow as a static binary in an empty image.
#
#   docker build -t expenseflow .
#   docker buildx build --platform linux/amd64,linux/arm64 -t expenseflow .

# The compiler runs on the builder's architecture and cross-compiles for the
# target's: no emulation, and this stage needs nothing but Go's own tools.
FROM --platform=$BUILDPLATFORM golang:1.26.8-bookworm AS build
ARG TARGETOS
ARG TARGETARCH
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# What `expenseflow version` says; a test holds it to the newest release in CHANGELOG.md.
ARG VERSION=0.1.0
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -ldflags="-s -w -X expenseflow/internal/app.version=$VERSION" -o /out/expenseflow .
# The licences of all linked modules require that their texts go with the binary.
RUN go run ./internal/notices /out/expenseflow >/out/THIRD_PARTY_NOTICES
# An empty image has no shell to create folders with, so they are copied into it.
RUN mkdir -p /out/data /out/tmp

# The same beside PostgreSQL's client programs, which expenseflow backup and restore run there:
# the service backup of docker-compose.yml. Not older than the server's image.
FROM postgres:17-bookworm AS backup
COPY --from=build /out/expenseflow /expenseflow
COPY --from=build --chown=65532:65532 /out/data /backups
USER 65532:65532
VOLUME ["/backups"]
ENTRYPOINT ["/expenseflow"]

FROM scratch
# Root certificates, for databases that are reached over TLS.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/expenseflow /expenseflow
COPY --from=build /out/THIRD_PARTY_NOTICES /THIRD_PARTY_NOTICES
# The server runs as its own user, which owns the data folder and nothing else.
COPY --from=build --chown=65532:65532 /out/data /data
COPY --from=build --chown=65532:65532 /out/tmp /tmp
COPY --from=build --chown=65532:65532 /out/data /backups
USER 65532:65532
ENV DATA_DIR=/data
VOLUME ["/data"]
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["/expenseflow", "healthcheck"]
ENTRYPOINT ["/expenseflow"]

# expenseflow as a static binary in an empty image.
#
#   docker build -t expenseflow .
#   docker buildx build --platform linux/amd64,linux/arm64 -t expenseflow .

# The compiler runs on the builder's own processor and makes the binary for the
# target's: no emulation, and nothing in this stage but Go's own tools is needed.
FROM --platform=$BUILDPLATFORM golang:1.26.8-bookworm AS build
ARG TARGETOS
ARG TARGETARCH
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -ldflags='-s -w' -o /out/expenseflow .
# The licences of all that the binary carries ask to go where it goes.
RUN go run ./internal/notices /out/expenseflow >/out/THIRD_PARTY_NOTICES
# An empty image has no shell to make folders with, so they are copied into it.
RUN mkdir -p /out/data /out/tmp

FROM scratch
# Roots of trust, for databases and Redis servers that speak TLS.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/expenseflow /expenseflow
COPY --from=build /out/THIRD_PARTY_NOTICES /THIRD_PARTY_NOTICES
# The server's own user: it owns the data folder and nothing else.
COPY --from=build --chown=65532:65532 /out/data /data
COPY --from=build --chown=65532:65532 /out/tmp /tmp
USER 65532:65532
ENV DATA_DIR=/data
VOLUME ["/data"]
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["/expenseflow", "healthcheck"]
ENTRYPOINT ["/expenseflow"]

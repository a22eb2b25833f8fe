# syntax=docker/dockerfile:1
# A static program on an empty image: no shell, no package manager, not root.

FROM --platform=$BUILDPLATFORM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
# The checksum database does not know the modules that are left out here; go.sum holds their sums.
RUN --mount=type=cache,target=/go/pkg/mod \
    GONOSUMDB='k8s.io/autoscaler/*,github.com/Azure/*' go mod download
COPY . .
ARG TARGETOS=linux
ARG TARGETARCH=amd64
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -tags externalgrpc -trimpath -buildvcs=false -ldflags '-s -w' -o /out/ . ./cmd/cluster-autoscaler-openstack-grpc
# What a program expects of a system: authorities to trust, time zones, a user, a folder for temporary files.
RUN mkdir -p /root-fs/etc/ssl/certs /root-fs/usr/share /root-fs/tmp && \
    cp /etc/ssl/certs/ca-certificates.crt /root-fs/etc/ssl/certs/ && \
    cp -r /usr/share/zoneinfo /root-fs/usr/share/ && \
    echo 'nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin' > /root-fs/etc/passwd && \
    echo 'nonroot:x:65532:' > /root-fs/etc/group && \
    mkdir -p /root-fs/home/nonroot && chown 65532:65532 /root-fs/home/nonroot && chmod 1777 /root-fs/tmp

FROM scratch
COPY --from=build /root-fs /
COPY --from=build /out/ /
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="cluster-autoscaler-openstack" \
      org.opencontainers.image.description="Kubernetes cluster-autoscaler for node groups that are OpenStack Heat stacks" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
USER 65532:65532
WORKDIR /home/nonroot
# Metrics and the health check.
EXPOSE 8085
ENTRYPOINT ["/cluster-autoscaler-openstack"]

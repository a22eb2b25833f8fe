# syntax=docker/dockerfile:1
# Static programs on an empty image: no shell, no package manager, not root. The first stage makes the files (hack/image/rootfs); the
# last one says what the image is made of and how it is run. "make image" follows the same last stage without docker: an instruction
# that hack/image/recipe does not know is refused there.

FROM --platform=$BUILDPLATFORM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
COPY hack/image/go.mod hack/image/go.sum hack/image/
# The checksum database does not know the modules that are left out here; go.sum holds their sums.
RUN --mount=type=cache,target=/go/pkg/mod \
    GONOSUMDB='k8s.io/autoscaler/*,github.com/Azure/*' go mod download && go -C hack/image mod download
COPY . .
ARG TARGETARCH=amd64
ARG VERSION=dev
ARG SOURCE_DATE_EPOCH=0
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH go -C hack/image run . -arch "$TARGETARCH" -version "$VERSION" -files /out

FROM scratch
COPY --from=build /out/system /
COPY --from=build /out/programs /
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="cluster-autoscaler-openstack" \
      org.opencontainers.image.description="Kubernetes cluster-autoscaler for node groups that are OpenStack Heat stacks" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack" \
      org.opencontainers.image.documentation="https://github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/tree/main/docs" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
ENV PATH=/
USER 65532:65532
WORKDIR /home/nonroot
# Metrics and the health check.
EXPOSE 8085
ENTRYPOINT ["/cluster-autoscaler-openstack"]

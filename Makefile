# "make" alone lists what there is. Everything here needs only Go, make and git, except where a target says otherwise.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Without this tag cluster-autoscaler links every other cloud's provider and its libraries.
export GOFLAGS := $(strip $(shell go env GOFLAGS) -tags=externalgrpc)

BIN := bin/cluster-autoscaler-openstack
# Where test profiles go; not in the repository's files.
OUT := .out
# The packages whose coverage is held, and the least it may be, in percent.
COVERED := nodegroups heatstack cloudprovider cloudprovider/externalgrpc bootstrap nodelife \
	ceilometer ceilometer/gnocchi ceilometer/prometheus ceilometer/forecast ceilometer/replay
COVERAGE := 85
# "make test RACE=" tests without the race detector, where there is no C compiler.
RACE := -race
# "make demo MODE=external" shows it with a stock cluster-autoscaler that asks over gRPC.
MODE := embedded
# "make bench BENCH=refresh" prints the numbers whose names match.
BENCH := .
IMAGE := cluster-autoscaler-openstack:dev

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/cluster-autoscaler-openstack, bin/cluster-autoscaler-openstack-grpc and the plugin of kubectl, static programs
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o $(BIN) .
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o $(BIN)-grpc ./cmd/cluster-autoscaler-openstack-grpc
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o bin/ ./cmd/kubectl-openstack_nodegroups
	cp cmd/kubectl-openstack_nodegroups/kubectl_complete-openstack_nodegroups bin/

.PHONY: demo
demo: ## a cluster on a simulated cloud that grows from pending pods and shrinks when idle (first run: up to 30 minutes)
	@# not "go run", which would leave the demo running when it is told to end
	CGO_ENABLED=0 go build -trimpath -o bin/demo ./test/demo
	@exec bin/demo $(if $(filter external,$(MODE)),--external)

.PHONY: test
test: ## all tests with the race detector (needs a C compiler), end to end on the simulated cloud too, and the coverage gates
	@hack/test $(OUT) $(COVERAGE) '$(RACE)' $(COVERED)

.PHONY: test-openstack
test-openstack: ## the same behaviour on a real OpenStack, which is installed for it (needs Debian 12 and root); STAGES="mainjob external" chooses
	test/lab/run $(STAGES)

.PHONY: test-vm
test-vm: ## servers that really boot: a virtual machine with cloud-init and kubelets with containerd join (needs Debian 12 and root)
	test/vm/run

.PHONY: test-chart
test-chart: ## the Helm chart with a real helm and a real control plane, the alert rules (first run: up to 30 minutes)
	test/chart/run

.PHONY: test-page
test-page: ## the status page in a real browser (needs Chromium, which it installs if this is root on Debian)
	test/page/run

.PHONY: test-chart-pods
test-chart-pods: ## the chart's own pods, with our image, on a real kubelet with containerd, in both modes (needs Debian 12 and root)
	test/chart/pods/run

.PHONY: bench
bench: ## print the numbers of calls, times and memory; BENCH=regexp chooses
	@CGO_ENABLED=0 go build -trimpath -o bin/bench ./test/bench
	@exec bin/bench -run '$(BENCH)'

# What "make load-report" plays, and how.
CSV := $(wildcard ceilometer/replay/testdata/*.csv.gz)
TARGET := 60
BOOT := 10m
QUANTILE := .85
MIN := 1
MAX := 0
REPORTS := .out/load-report

.PHONY: load-report
load-report: ## play load histories through policies and draw them; CSV="a.csv b.csv" TARGET=60 BOOT=10m QUANTILE=.85 MIN=1 MAX=0
	@CGO_ENABLED=0 go build -trimpath -o bin/load-report ./cmd/load-report
	@mkdir -p $(REPORTS)
	@exec bin/load-report -target '$(TARGET)' -boot '$(BOOT)' -quantile '$(QUANTILE)' -min '$(MIN)' -max '$(MAX)' $(LOAD_REPORT_FLAGS) -out $(REPORTS) $(CSV)

.PHONY: lint
lint: ## formatting, go vet, golangci-lint, shellcheck, go.mod, known vulnerabilities
	@hack/lint

.PHONY: tidy
tidy: ## write go.mod and go.sum as the code needs them
	GONOSUMDB='k8s.io/autoscaler/*,github.com/Azure/*' go mod tidy
	for module in test/kubernetes test/descheduler test/chart/helm test/chart/alerts test/page/browser hack/image; do (cd $$module && GOFLAGS= GONOSUMDB='k8s.io/autoscaler/*,github.com/Azure/*' go mod tidy); done

.PHONY: murano-package
murano-package: ## build bin/murano-*.zip, packages for Murano, OpenStack's application catalog
	@CGO_ENABLED=0 go run -trimpath ./hack/murano bin

# What the image says of itself, and where it goes.
VERSION = $(shell git describe --always --dirty --tags)
REVISION = $(shell git rev-parse HEAD)
IMAGE_OUT := bin/image
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct)

.PHONY: image
image: ## build the container image for amd64 and arm64, into bin/image, with Go alone; DOCKER=docker (or podman) loads it there as well
	@cd hack/image && CGO_ENABLED=0 GOFLAGS=-trimpath SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) go run . -out '$(abspath $(IMAGE_OUT))' \
		-name '$(IMAGE)' -version '$(VERSION)' -revision '$(REVISION)'
	$(if $(DOCKER),$(DOCKER) load --input '$(IMAGE_OUT)/cluster-autoscaler-openstack.tar')

.PHONY: test-image
test-image: ## the container image: the same twice, what is in it, it runs, docker makes the same (needs Debian and root)
	test/image/run

.PHONY: clean
clean: ## remove what was built here; caches outside of this folder stay
	rm -rf bin $(OUT)

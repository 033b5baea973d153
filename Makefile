# What a contributor runs. Only `integration` needs more than Go, a C and C++ compiler and make.

TESTFLAGS ?=
BENCHTIME ?= 1s
LEAST_COVERAGE := 90

# How many random questions each engine is asked by `make conformance`.
QUESTIONS ?= 1000000

# Packages whose code runs in more than one goroutine.
CONCURRENT := streaming featurestore batch lakehouse pipeline

# A tool's folder carries its version, so a new version is installed and an old one never used.
STATICCHECK := .tools/staticcheck-v0.8.2/staticcheck
GOFUMPT := .tools/gofumpt-v0.12.0/gofumpt

.PHONY: test demo lint race cover conformance bench integration outside tools

test:
	go test $(TESTFLAGS) ./...

demo:
	go run ./examples/glucose demo

lint: tools
	@unformatted=$$($(GOFUMPT) -l .) && [ -z "$$unformatted" ] || \
		{ echo "not formatted; run $(GOFUMPT) -w on:"; echo "$$unformatted"; exit 1; }
	go vet -tags=integration ./...
	$(STATICCHECK) -tags=integration ./...

race:
	SPILLWAY_QUESTIONS=1000 go test -race -short $(TESTFLAGS) $(patsubst %,./%/...,$(wildcard $(CONCURRENT)))

cover:
	go test $(TESTFLAGS) -coverpkg=./pipeline/... -coverprofile=cover.out ./pipeline/...
	@go tool cover -func=cover.out | awk '/^total:/ { got = $$3 + 0 } \
		END { printf "pipeline/...: %.1f %% of the statements, at least $(LEAST_COVERAGE) wanted\n", got; \
			exit got < $(LEAST_COVERAGE) }'

# Every engine against the oracle, at length; `make test` asks the same, but less.
conformance:
	SPILLWAY_QUESTIONS=$(QUESTIONS) go test $(TESTFLAGS) -count=1 -timeout 60m -run '^TestConformance$$' \
		./pipeline/kernel ./streaming ./batch ./featurestore/online ./featurestore/training

bench:
	go test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) ./...

# A module of its own, as users have, is built and run beside the integration tests.
integration: outside
	integration/real/install
	go test $(TESTFLAGS) -tags=integration -count=1 -timeout 30m ./integration/...

outside:
	cd examples/outside && go vet ./... && go test $(TESTFLAGS) -count=1 ./...

tools: $(STATICCHECK) $(GOFUMPT)

$(STATICCHECK):
	GOBIN=$(CURDIR)/$(@D) go install honnef.co/go/tools/cmd/staticcheck@$(lastword $(subst -, ,$(notdir $(@D))))

$(GOFUMPT):
	GOBIN=$(CURDIR)/$(@D) go install mvdan.cc/gofumpt@$(lastword $(subst -, ,$(notdir $(@D))))

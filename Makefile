# Checks, tests and runs expenseflow. Tools have exact versions and are not in
# go.mod: `go run tool@version` builds each with its own dependencies.

GO            ?= go
GOFUMPT       := mvdan.cc/gofumpt@v0.12.0
GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GOVULNCHECK   := golang.org/x/vuln/cmd/govulncheck@v1.8.0
COMPOSE_SPEC  := github.com/compose-spec/compose-go/v2/cmd@v2.16.2

# What `expenseflow version` says: the newest release in CHANGELOG.md.
VERSION ?= $(shell sed -n 's/^\#\# \([0-9][0-9.]*\).*/\1/p' CHANGELOG.md | head -n 1)
LDFLAGS := -X expenseflow/internal/app.version=$(VERSION)

.DEFAULT_GOAL := help
.PHONY: help run demo-frontend test needs race bench chaos fuzz check static fmt fmt-check lint subjects compose kubernetes \
	vuln notices sbom

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## serve on http://localhost:3000 with the embedded database
	$(GO) run .

demo-frontend: ## serve the frontend in DIR as its own server did (make demo-frontend DIR=../ExpenseFlow)
	@test -d "$(DIR)" || { echo "Name the frontend's folder: make demo-frontend DIR=../ExpenseFlow"; exit 2; }
	STATIC_DIR="$(DIR)/public:$(DIR)" $(GO) run .

test: needs ## run the tests, after a list of the optional programs that they find
	$(GO) test ./...

needs: ## list the optional programs of the tests: found, or skipped and how to get them
	@$(GO) run ./internal/testneed/list

# Two packages are compiled without the race detector, which would take most of the
# time: the inner loop of bcrypt, and SQLite, translated from C, whose memory is not Go's.
RACE := -race -gcflags=golang.org/x/crypto/blowfish=-race=false -gcflags=modernc.org/sqlite/lib=-race=false

race: needs ## run the tests under the race detector
	$(GO) test $(RACE) -timeout 40m ./...

bench: ## measure this server beside Node and other Go servers (docs/benchmarks.md); needs a quiet machine
	$(GO) run ./internal/bench

SCHEDULES ?= 240
chaos: ## run SCHEDULES chaos schedules for each class of faults (docs/reliability.md): hours
	$(GO) run ./internal/e2e/chaos -schedules $(SCHEDULES)

FUZZ_EXECUTIONS ?= 2000000
fuzz: ## run each fuzz target FUZZ_EXECUTIONS times (default 2,000,000: about an hour)
	@grep -rn '^func Fuzz' --include='*_test.go' . | sed 's|/[^/]*_test.go:[0-9]*:func \(Fuzz[A-Za-z]*\).*| \1|' | \
	while read -r package target; do \
		echo "== $$package $$target"; \
		$(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZ_EXECUTIONS)x $$package || exit 1; \
	done

check: static race vuln ## everything that must pass before a change is merged

static: fmt-check lint subjects compose kubernetes ## the static checks

fmt: ## format the code with gofumpt
	$(GO) run $(GOFUMPT) -w .

fmt-check: ## list the files that are not formatted
	@out=$$($(GO) run $(GOFUMPT) -l .) && \
	if [ -n "$$out" ]; then printf 'not formatted (make fmt):\n%s\n' "$$out"; exit 1; fi

lint: ## golangci-lint, which also runs all of go vet and checks which package may import which
	$(GO) run $(GOLANGCI_LINT) run ./...

subjects: ## check the subjects of the newest commits
	@bash .ci/commit-subjects

compose: ## check the compose files against the Compose Specification
	@for f in docker-compose.yml compose.sqlite.yml compose.cluster.yml; do \
		sed 's/$${JWT_SECRET:?[^}]*}/a secret/' $$f | $(GO) run $(COMPOSE_SPEC) - >/dev/null || exit 1; echo "$$f: valid"; \
	done

kubernetes: ## check the manifests against the types of Kubernetes (a module of its own)
	@cd internal/e2e/kubernetes && $(GO) test ./... && echo 'docs/deploy/kubernetes: valid'

expenseflow: FORCE
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags='$(LDFLAGS)' -o $@ .

.PHONY: FORCE
FORCE:

notices: expenseflow ## write THIRD_PARTY_NOTICES, the licences of all linked modules, as in the image
	$(GO) run ./internal/notices ./expenseflow >THIRD_PARTY_NOTICES

sbom: expenseflow ## list every module that is linked, with version and checksum
	@$(GO) version -m ./expenseflow

# govulncheck asks the Go vulnerability database. Where that cannot be reached,
# nothing was checked: it says so, and with REQUIRE_ALL=1 it fails.
vuln: ## look for known vulnerabilities in what the program calls
	@out=$$($(GO) run $(GOVULNCHECK) ./... 2>&1); code=$$?; \
	case "$$out" in *"fetching vulnerabilities"*) \
		echo "vuln: not checked, the vulnerability database cannot be reached"; \
		if [ "$$REQUIRE_ALL" = 1 ]; then exit 1; else exit 0; fi ;; \
	esac; \
	echo "$$out"; exit $$code

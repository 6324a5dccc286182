BUILD = swift build --explicit-target-dependency-import-check error
.PHONY: run test conformance build format setup clean

run: setup
	@$(BUILD) -c release --product netpol-lab
	@.build/release/netpol-lab run -f examples/homelab

# Tests with packets come first. Those that compute for minutes would keep them waiting, and so would those that measure,
# with threads that run before all others: they come one kind after the other. Tests/Support/Tags.swift says what a test
# of a kind looks like.
test: setup
	@$(BUILD) --build-tests
	@for tests in '--skip \.(Slow|Alone)/' '--filter \.Slow/' '--filter \.Alone/'; do \
	  set -- $$tests; \
	  if [ "$$(id -u)" -eq 0 ] || ! unshare -Urnm true 2>/dev/null; \
	    then NETPOL_LAB_REALTIME=off swift test --skip-build "$$1" "$$2"; \
	    else NETPOL_LAB_REALTIME=off unshare -Urnm swift test --skip-build "$$1" "$$2"; fi || exit 1; \
	done

# All verdict tables through oracle, evaluator and kernel: make conformance [CASES=DIR] [STYLES=a,b]
conformance: setup
	@$(BUILD) --build-tests
	@NETPOL_CONFORMANCE=all $(if $(CASES),NETPOL_CASES=$(CASES)) $(if $(STYLES),NETPOL_STYLES=$(STYLES)) \
	  sh -c 'time swift test --skip-build --filter Conformance'

build: setup
	@$(BUILD)

format:
	@swift format -i -r Sources Tests Package.swift

setup:
	@netns-scripts/setup.sh

clean:
	rm -rf .build

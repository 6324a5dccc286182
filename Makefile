BUILD = swift build --explicit-target-dependency-import-check error
.PHONY: run test build format setup clean

run: setup
	@$(BUILD) -c release --product netpol-lab
	@.build/release/netpol-lab run -f examples/homelab

test: setup
	@$(BUILD) --build-tests
	@if [ "$$(id -u)" -eq 0 ] || ! unshare -Urnm true 2>/dev/null; \
	  then swift test --skip-build; else unshare -Urnm swift test --skip-build; fi

build: setup
	@$(BUILD)

format:
	@swift format -i -r Sources Tests Package.swift

setup:
	@netns-scripts/setup.sh

clean:
	rm -rf .build

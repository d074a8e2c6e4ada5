# The same steps as the npm scripts; needs npm (Node comes with the packages) and nothing else.
.PHONY: run test demo build check bench charts clean

# Present and newer than the lockfile when the installed packages fit it.
installed := node_modules/.package-lock.json

run: $(installed)
	npm run build
	npm start

test: $(installed)
	npm test -- $(JEST_FLAGS)

demo: $(installed)
	npm run demo

build check bench: $(installed)
	npm run $@

charts: $(installed)
	.ci/charts

clean:
	npx tsc -b --clean

$(installed): package.json package-lock.json
	npm ci
	@touch $@

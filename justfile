# The same as `cargo xtask`, for people who have just.

_default:
    @cargo xtask

# build everything and run it on embedded storage
up *arguments:
    cargo xtask up {{arguments}}

# all tests
test *filters:
    cargo xtask test {{filters}}

# formatting, lints, documentation, dependency rules
check:
    cargo xtask check

# a benchmark: gateway, feed, …
bench +arguments:
    cargo xtask bench {{arguments}}

# look for bytes that break a dialect, with a nightly compiler
fuzz *arguments:
    cargo xtask fuzz {{arguments}}

# only the dashboard
dashboard:
    cargo xtask dashboard

# see what a server does, and compile releases by it
profile:
    cargo xtask profile

# see which functions run, and lay the released program out by it
layout:
    cargo xtask layout

# write the golden files anew
golden:
    cargo xtask golden

# start a database migration
migration name:
    cargo xtask migration {{name}}

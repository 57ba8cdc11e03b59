# shellcheck shell=bash
# What dashboards and alerts are checked with: Prometheus and promtool, and Chromium to draw pictures with. All from
# Debian; found or installed, never started here.

# Somebody who says which program to use gets that one or an error, never another one.
prometheus_ready() {
  local named="${FLASHSALE_PROMETHEUS:-}"
  FLASHSALE_PROMETHEUS=$(command -v "${named:-prometheus}") && FLASHSALE_PROMTOOL=$(command -v "${FLASHSALE_PROMTOOL:-promtool}") &&
    export FLASHSALE_PROMETHEUS FLASHSALE_PROMTOOL && return
  [[ -z "$named" ]] || fail "FLASHSALE_PROMETHEUS names no program: $named"
  return 1
}
prometheus_packages() { echo prometheus; }
prometheus_install() { :; }

chromium_ready() {
  local named="${FLASHSALE_CHROMIUM:-}"
  FLASHSALE_CHROMIUM=$(command -v "${named:-chromium}") && export FLASHSALE_CHROMIUM && return
  [[ -z "$named" ]] || fail "FLASHSALE_CHROMIUM names no program: $named"
  return 1
}
# Text on a page needs a font.
chromium_packages() { printf '%s\n' chromium fonts-dejavu-core; }
chromium_install() { :; }

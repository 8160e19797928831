// SPDX-License-Identifier: GPL-2.0-or-later
/* Names of the shared enums. Total: a value out of range has a name, too. */
#include "user/model/action.h"

#include <assert.h>

#include "user/lib/util.h"

static const char *const action_names[] = {
	[RF_ACTION_ALLOW] = "allow",
	[RF_ACTION_DENY] = "deny",
};
static_assert(ARRAY_SIZE(action_names) == RF_ACTIONS, "an action has no name");

static const char *const mode_names[] = {
	[RF_MODE_ENFORCE] = "enforce",
	[RF_MODE_AUDIT] = "audit",
};
static_assert(ARRAY_SIZE(mode_names) == RF_MODES, "a mode has no name");

static const char *const support_names[] = {
	[RF_SUPPORT_UNAVAILABLE] = "unavailable",
	[RF_SUPPORT_BEST_EFFORT] = "best effort",
	[RF_SUPPORT_ENFORCED] = "enforced",
};

static const struct {
	const char *name;
	const char *section;
} features[] = {
#define X(id, feature, where) [RF_FEATURE_##id] = { feature, where },
	RF_FEATURES(X)
#undef X
};

static const char *name_at(const char *const *names, size_t n, unsigned int i)
{
	return i < n ? names[i] : "unknown";
}

const char *rf_action_name(enum rf_action a)
{
	return name_at(action_names, ARRAY_SIZE(action_names), a);
}

const char *rf_mode_name(enum rf_mode m)
{
	return name_at(mode_names, ARRAY_SIZE(mode_names), m);
}

const char *rf_support_name(enum rf_support s)
{
	return name_at(support_names, ARRAY_SIZE(support_names), s);
}

const char *rf_feature_name(enum rf_feature f)
{
	return (unsigned int)f < RF_FEATURE_COUNT ? features[f].name : "unknown";
}

const char *rf_feature_section(enum rf_feature f)
{
	return (unsigned int)f < RF_FEATURE_COUNT ? features[f].section : "unknown";
}

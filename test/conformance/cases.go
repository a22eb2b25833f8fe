package conformance

import "testing"

// Named is a case with its name.
type Named struct {
	Name string
	Run  func(t *testing.T, c *Case)
}

// Cases lists all cases. Those that take longest on a real cloud come first, so that the others run beside them.
func Cases() []Named {
	return []Named{
		// Failures of a cloud that is full.
		{"no-valid-host-is-retried-then-fails", noValidHostIsRetriedThenFails},
		{"no-valid-host-member-is-removed-by-name", noValidHostMemberIsRemovedByName},
		{"quota-fails-update-and-keeps-count", quotaFailsUpdateAndKeepsCount},
		{"quota-nested-message", quotaNestedMessage},
		{"quota-recovered-by-naming-failed-member", quotaRecoveredByNamingFailedMember},
		{"quota-recovered-by-raising-it", quotaRecoveredByRaisingIt},
		{"quota-recovered-by-old-count", quotaRecoveredByOldCount},
		{"quota-rolled-back", quotaRolledBack},
		{"quota-cleanup-keeps-siblings", quotaCleanupKeepsSiblings},

		// A compute host that does not answer, so that an update stays in progress.
		{"patch-supersedes-running-update", patchSupersedesRunningUpdate},
		{"member-in-creation-is-removed", memberInCreationIsRemoved},
		{"nested-member-in-creation-is-removed", nestedMemberInCreationIsRemoved},
		{"named-member-in-creation-outlives-failed-update", namedMemberInCreationOutlivesFailedUpdate},
		{"server-in-build-while-updating", serverInBuildWhileUpdating},
		{"stack-is-deleted-during-update", stackIsDeletedDuringUpdate},
		{"shrink-supersedes-growth", shrinkSupersedesGrowth},

		// Growing.
		{"growth-keeps-members", growthKeepsMembers},
		{"growth-from-zero", growthFromZero},
		{"growth-of-nested-members", growthOfNestedMembers},
		{"growth-with-null-subnet-fails", growthWithNullSubnetFails},
		{"update-of-parent-resets-nested-group", updateOfParentResetsNestedGroup},
		{"shrinking-by-count-alone-kills-highest", shrinkingByCountAloneKillsHighest},

		// Removing by name, and what happens to names afterwards.
		{"removal-by-index", removalByIndex},
		{"removal-by-number", removalByNumber},
		{"removal-list-as-string", removalListAsString},
		{"removal-of-several", removalOfSeveral},
		{"removal-to-zero", removalToZero},
		{"removal-of-nested-member", removalOfNestedMember},
		{"removal-by-server-id-in-flat-group", removalByServerIDInFlatGroup},
		{"removal-by-server-id-in-nested-group-kills-highest", removalByServerIDInNestedGroupKillsHighest},
		{"removal-by-nested-stack-id-kills-highest", removalByNestedStackIDKillsHighest},
		{"removal-by-nested-reference", removalByNestedReference},
		{"magnum-grows-and-shrinks", magnumGrowsAndShrinks},
		{"magnum-removes-by-server-id", magnumRemovesByServerID},
		{"removal-of-unknown-kills-highest", removalOfUnknownKillsHighest},
		{"removal-of-known-and-unknown", removalOfKnownAndUnknown},
		{"removal-without-lower-count-replaces", removalWithoutLowerCountReplaces},
		{"removals-in-a-row", removalsInARow},
		{"gap-stays", gapStays},
		{"removed-index-is-remembered", removedIndexIsRemembered},
		{"mode-update-forgets", modeUpdateForgets},
		{"mode-update-keeps-what-is-still-listed", modeUpdateKeepsWhatIsStillListed},
		{"simultaneous-patches", simultaneousPatches},

		// Servers that vanish, and members that are ill.
		{"vanished-server-is-not-noticed", vanishedServerIsNotNoticed},
		{"check-notices-vanished-server", checkNoticesVanishedServer},
		{"mark-unhealthy-replaces-vanished-server", markUnhealthyReplacesVanishedServer},
		{"mark-unhealthy-in-nested-group", markUnhealthyInNestedGroup},
		{"unhealthy-but-alive-is-replaced", unhealthyButAliveIsReplaced},
		{"check-heals-unhealthy-but-alive", checkHealsUnhealthyButAlive},
		{"mark-healthy-again", markHealthyAgain},
		{"vanished-member-is-removed-by-name", vanishedMemberIsRemovedByName},
		{"check-of-healthy-stack", checkOfHealthyStack},

		// Servers that are off, and gone.
		{"stop-leads-to-shutoff", stopLeadsToShutOff},
		{"shutoff-member-is-removed-by-name", shutOffMemberIsRemovedByName},
		{"shutoff-member-is-replaced", shutOffMemberIsReplaced},
		{"deleted-server-is-404", deletedServerIs404},

		// Changing something else.
		{"no-change-moves-updated-time", noChangeMovesUpdatedTime},
		{"token-rotation-keeps-servers", tokenRotationKeepsServers},
		{"user-data-change-replaces-servers", userDataChangeReplacesServers},
		{"hidden-parameter-is-masked", hiddenParameterIsMasked},
		{"hidden-parameter-of-nested-stack-is-masked", hiddenParameterOfNestedStackIsMasked},
		{"token-rotation-keeps-nested-servers", tokenRotationKeepsNestedServers},
		{"parameters-not-named-are-kept", parametersNotNamedAreKept},
		{"unknown-parameter-is-dropped", unknownParameterIsDropped},
		{"stack-is-deleted-with-its-servers", stackIsDeletedWithItsServers},

		// Forms of requests and answers.
		{"patch-answer-is-json-only-on-demand", patchAnswerIsJSONOnlyOnDemand},
		{"patch-shows-at-once", patchShowsAtOnce},
		{"patch-by-name-is-redirected", patchByNameIsRedirected},
		{"get-by-name-is-redirected", getByNameIsRedirected},
		{"bad-number-is-refused", badNumberIsRefused},
		{"constraint-is-refused", constraintIsRefused},
		{"unknown-stack-is-404", unknownStackIs404},
		{"stack-name-taken-is-409", stackNameTakenIs409},
		{"bad-token-is-401", badTokenIs401},
		{"template-is-readable", templateIsReadable},
		{"files-are-readable", filesAreReadable},

		// Lists.
		{"stack-list-by-tags", stackListByTags},
		{"stack-list-rows", stackListRows},
		{"stack-list-by-status", stackListByStatus},
		{"stack-list-pages", stackListPages},
		{"stacks-of-other-projects-are-hidden", stacksOfOtherProjectsAreHidden},
		{"outputs-are-resolved-on-demand", outputsAreResolvedOnDemand},
		{"resource-list-of-flat-group", resourceListOfFlatGroup},
		{"resource-list-of-nested-group", resourceListOfNestedGroup},
		{"server-fields", serverFields},
		{"changes-since-shows-deleted", changesSinceShowsDeleted},
		{"changes-since-is-empty-when-idle", changesSinceIsEmptyWhenIdle},
		{"metadata-filter-is-ignored", metadataFilterIsIgnored},
		{"server-list-pages", serverListPages},
		{"flavors-show-extra-specs", flavorsShowExtraSpecs},

		// Finding one machine.
		{"server-is-found-by-pattern-of-its-name", serverIsFoundByPatternOfItsName},
		{"host-name-is-made-of-the-name", hostNameIsMadeOfTheName},
		{"member-is-found-by-name", memberIsFoundByName},
		{"nested-member-is-found-by-name", nestedMemberIsFoundByName},
		{"server-shows-addresses", serverShowsAddresses},

		// Telemetry: measures pushed as Ceilometer's publisher does, read as the autoscaler does.
		{"telemetry-is-read-by-machine-in-one-call", telemetryIsReadByMachineInOneCall},
		{"telemetry-rate-is-per-poll", telemetryRateIsPerPoll},
		{"telemetry-reset-is-a-negative-rate", telemetryResetIsANegativeRate},
		{"telemetry-of-unknown-machines-is-absent", telemetryOfUnknownMachinesIsAbsent},
		{"telemetry-of-unknown-metric-is-400", telemetryOfUnknownMetricIs400},
		{"telemetry-without-points-is-an-empty-series", telemetryWithoutPointsIsAnEmptySeries},
		{"telemetry-of-unknown-aggregation-is-404", telemetryOfUnknownAggregationIs404},
		{"telemetry-of-other-granularity-is-400", telemetryOfOtherGranularityIs400},
		{"telemetry-aggregate-hides-silent-machine", telemetryAggregateHidesSilentMachine},
		{"telemetry-of-unknown-group-is-absent", telemetryOfUnknownGroupIsAbsent},
		{"telemetry-of-two-metrics-is-falsely-zero", telemetryOfTwoMetricsIsFalselyZero},
		{"telemetry-details-name-the-machine", telemetryDetailsNameTheMachine},
		{"telemetry-of-unknown-resource-is-refused", telemetryOfUnknownResourceIsRefused},
		{"telemetry-of-other-projects-is-hidden", telemetryOfOtherProjectsIsHidden},
		{"telemetry-needs-a-token", telemetryNeedsAToken},
		{"telemetry-operation-is-checked", telemetryOperationIsChecked},
		{"telemetry-source-reads-the-load", telemetrySourceReadsTheLoad},

		// Application credentials.
		{"application-credential-patches", applicationCredentialPatches},
		{"access-rules-allow-what-they-say", accessRulesAllowWhatTheySay},
		{"access-rules-hold-for-what-heat-does", accessRulesHoldForWhatHeatDoes},
	}
}

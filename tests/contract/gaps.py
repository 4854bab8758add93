"""What each backend is known not to do as AWS does. A gap that closes fails the suite until its line is taken out."""

GAPS: dict[str, dict[str, str]] = {
    "embedded": {},
    "moto": {
        "test_twelve_digit_access_key_is_an_account": "only keys issued by AssumeRole carry an account",
        "test_role_that_does_not_exist_cannot_be_assumed": "any role can be assumed",
        "test_email_is_used_once_only": "duplicate e-mail addresses are accepted",
        "test_outputs_parameters_and_tags_are_described": "a stack made by a change set has no outputs",
        "test_parameter_that_flows_through_sub_changes_the_resource": "the change is silently ignored",
        "test_change_set_tells_a_replacement": "changes carry no replacement flag",
        "test_failed_creation_rolls_back_and_leaves_nothing": "ExecuteChangeSet itself raises the service's error; no rollback",
        "test_failed_creation_has_the_reason_in_its_events": "no events per resource",
        "test_failed_update_restores_the_old_value": "ExecuteChangeSet itself raises the service's error; no rollback",
        "test_missing_parameter_is_refused": "parameters are not checked",
        "test_unknown_resource_type_is_refused": "unknown types end CREATE_COMPLETE",
        "test_protected_stack_is_not_deleted": "termination protection is not implemented",
        "test_export_in_use_keeps_its_stack": "exports of stacks made by change sets do not exist",
        "test_executed_change_set_cannot_be_executed_again": "a change set can be executed twice",
        "test_platform_deploys_finds_nothing_to_do_changes_one_parameter_and_tears_down": "stacks have no outputs",
    },
    "localstack": {
        "test_role_that_does_not_exist_cannot_be_assumed": "any role can be assumed",
        "test_email_is_used_once_only": "duplicate e-mail addresses are accepted (moto answers)",
        "test_failed_creation_rolls_back_and_leaves_nothing": "the status says ROLLBACK_COMPLETE, the resources stay",
        "test_failed_update_restores_the_old_value": "the status says UPDATE_ROLLBACK_COMPLETE, the new value stays",
        "test_unknown_resource_type_is_refused": "unknown types end CREATE_COMPLETE",
        "test_protected_stack_is_not_deleted": "termination protection is stored, not enforced",
        "test_stack_policy_is_stored": "SetStackPolicy is not implemented",
        "test_export_in_use_keeps_its_stack": "an exporting stack is deleted although its export is in use",
    },
}

//! The contract of the storage ports: one suite, every engine.
//!
//! SQLite always runs; PostgreSQL runs from Debian's binaries on a server of this run's own.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod accounts;
mod alarms;
mod append;
mod blobs;
mod classified;
mod concurrency;
mod crash;
mod directory;
mod effects;
mod engines;
mod handles;
mod isolation;
mod keys;
mod log;
mod patients;
mod premises;
mod samples;
mod server;
mod tls;
mod views;
mod work;
mod work_change;

macro_rules! contract {
    ($($topic:ident: $($case:ident)+;)+) => {
        const CASES: usize = [$($(stringify!($case)),+),+].len();

        mod on_sqlite {
            $(mod $topic {$(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    crate::$topic::$case(&crate::engines::Opened::sqlite().await).await;
                }
            )+})+
        }

        mod on_postgres {
            $(mod $topic {$(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    if let Some(opened) = crate::engines::Opened::postgres(crate::CASES).await {
                        crate::$topic::$case(&opened).await;
                    }
                }
            )+})+
        }
    };
}

contract! {
    append:
        everything_of_a_batch_is_there_after_it
        a_refused_batch_leaves_nothing_of_itself
        a_batch_that_cannot_be_written_is_told_so
        an_effect_happens_once_and_names_the_first
        a_forgotten_effect_can_happen_again
        a_stream_takes_the_next_version_only
        a_resource_takes_the_next_version_only
        a_lost_lease_stops_the_batch
        a_view_row_gets_the_position_of_its_event;
    premises:
        a_stream_that_went_on_stops_who_relied_on_it
        a_destroyed_or_unknown_key_stops_who_seals_with_it
        a_set_that_grew_or_shrank_stops_who_decided_about_all
        premises_hold_within_a_shared_commit;
    concurrency:
        each_of_64_waiters_gets_its_own_answer
        of_two_writers_of_a_stream_one_wins
        an_effect_asked_for_64_times_at_once_happens_once
        two_handles_write_one_unbroken_chain
        a_refused_batch_takes_nothing_from_those_behind_it
        appends_to_two_organizations_do_not_wait_for_each_other;
    effects:
        keys_that_end_alike_are_told_apart
        of_two_handles_that_want_an_effect_one_gets_it
        effects_of_an_older_program_are_carried_over
        an_effect_costs_the_same_among_sixty_thousand;
    log:
        events_are_read_by_position_and_by_stream
        events_are_read_by_kind_and_time_as_a_scan_would_find_them
        resource_versions_are_read_by_position_and_identity
        accesses_are_read_by_position_target_and_actor
        texts_and_bytes_come_back_as_they_were
        everything_is_there_after_reopening
        an_organization_that_was_never_made_is_unknown;
    keys:
        the_chain_of_a_key_is_read_at_once
        keys_that_wrap_each_other_end_the_read
        rewrapping_needs_the_right_wrapper
        keys_of_a_subject_come_newest_first
        the_uses_of_a_key_are_counted_with_what_it_seals
        a_destroyed_key_is_nowhere_in_the_files;
    views:
        items_page_by_time_and_state
        items_are_counted_by_door_and_state
        recordings_answer_every_filter_as_a_naive_one_does
        a_changed_row_replaces_the_old_one
        a_list_over_the_bound_is_refused;
    patients:
        tokens_are_any_within_a_group_and_all_between
        tokens_are_replaced_and_removed_with_the_patient
        merged_patients_are_found_by_their_survivor;
    work:
        a_lane_is_worked_in_order_and_lanes_in_parallel
        priorities_are_a_head_start_and_no_more
        nothing_waits_for_ever_behind_urgent_work
        an_expired_lease_is_claimed_by_another_and_lost
        no_two_claims_of_a_piece_are_the_same_lease
        an_expired_lease_that_nobody_claimed_still_holds
        a_retry_waits_and_keeps_its_lane
        a_dead_piece_frees_its_lane
        kinds_and_times_limit_a_claim
        many_workers_never_hold_a_lane_twice
        a_dead_end_and_an_append_agree_on_the_turn;
    work_change:
        a_revived_piece_takes_its_place_in_its_lane
        only_a_dead_piece_is_tried_again_and_only_a_waiting_one_given_up
        a_paused_kind_is_not_claimed_by_anybody
        a_schedule_is_enqueued_once_by_however_many
        finished_work_is_removed_in_pages_when_it_is_old
        work_is_listed_by_state_and_kind
        one_of_two_wins_a_waiting_piece
        two_stores_and_eight_tasks_do_two_thousand_pieces_once
        a_claim_costs_the_same_among_a_hundred_thousand
        who_has_work_is_known_without_opening_anything;
    accounts:
        users_are_found_by_id_and_login
        two_users_cannot_have_one_login
        sessions_live_until_removed_or_expired
        a_session_that_is_seen_keeps_what_became_of_it_meanwhile
        api_tokens_and_passwords_are_kept
        the_platform_has_accounts_of_its_own;
    alarms:
        alarms_are_found_by_what_they_are_about_and_listed_by_time
        notices_are_claimed_once_and_in_order
        a_notice_that_was_claimed_again_is_not_settled_by_the_first;
    directory:
        organizations_and_sites_are_listed
        provisioning_twice_changes_nothing;
    blobs:
        a_blob_is_there_only_when_finished
        a_blob_is_read_in_any_piece
        an_abandoned_or_dropped_blob_leaves_nothing
        blobs_are_listed_in_pages_by_id
        a_removed_blob_is_gone
        blob_files_are_for_their_owner_only
        blobs_of_another_organization_are_not_there
        a_blob_tells_when_it_was_written_and_which_items_name_it;
    classified:
        every_column_has_its_class_and_every_class_its_column
        what_is_not_a_table_has_its_class_too;
    isolation:
        no_port_shows_another_organization
        the_logs_cannot_be_changed_in_place
        the_role_of_one_organization_cannot_read_another
        a_login_that_could_see_everything_is_refused;
    handles:
        two_hundred_organizations_need_few_handles;
    tls:
        a_server_is_trusted_by_its_certificate_only;
    crash:
        a_process_killed_while_appending_leaves_a_clean_chain;
}

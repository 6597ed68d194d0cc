//! The room from outside: what its users do, against both stores.

// In a test's own modules `pub` means nothing more than `pub(crate)`, and reads better.
#![allow(unreachable_pub)]
// What is unwrapped here is what the test asserts; clippy.toml's leave covers only functions marked as tests.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod accounts;
mod behind;
mod chain;
mod counting;
mod crash;
mod keeping;
mod monitoring;
mod play;
mod postgres;
mod recording;
mod staff;
mod together;

use play::Play;

/// One list of scenarios: each is a test with SQLite, and all of them run again with PostgreSQL where it is installed.
macro_rules! scenarios {
    ($($module:ident::$name:ident,)*) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$module::$name(super::Play::sqlite()).await;
            })*
        }

        async fn every_scenario(server: &postgres::Server) -> usize {
            let mut run = 0;
            $({
                let database = server.database(stringify!($name)).await;
                $module::$name(Play::postgres(database)).await;
                run += 1;
            })*
            run
        }
    };
}

scenarios! {
    accounts::a_link_sets_a_password_once,
    accounts::sessions_are_few_and_end,
    accounts::a_code_opens_once,
    behind::no_restriction_is_lifted_by_changing_the_register,
    behind::a_running_gateway_keeps_what_it_has_read,
    chain::a_whole_journal_verifies,
    chain::every_kind_of_tampering_is_found_where_it_is,
    chain::a_forged_purge_explains_nothing,
    chain::a_store_that_lost_a_part_is_found_out,
    chain::lists_that_say_other_than_the_journal_are_found,
    chain::the_journal_refuses_updates_and_deletes,
    chain::a_second_gateway_is_kept_out,
    chain::reading_needs_a_store_and_writes_nothing,
    chain::a_newer_store_is_left_alone,
    counting::more_than_one_reading_gives_are_all_there,
    counting::what_a_consequence_counts,
    counting::nobody_signs_what_came_after_they_read,
    counting::everybody_of_whom_something_is_kept,
    recording::refusals_become_episodes,
    recording::a_thread_that_panicked_while_it_gathered_gathers_again,
    recording::what_may_not_be_recorded_is_not,
    recording::severity_follows_evidence,
    recording::a_flood_is_shed_counted_and_recorded,
    recording::a_flood_of_junk_sheds_no_high_breach,
    recording::open_episodes_go_on_after_a_restart,
    recording::minutes_are_harvested_and_survive_a_restart,
    recording::a_jump_of_the_clock_is_an_entry,
    recording::a_disk_that_fails_for_a_while_loses_nothing,
    recording::a_full_disk_loses_nothing,
    recording::a_count_that_the_disk_does_not_take_is_told_until_it_does,
    recording::a_forged_open_episode_is_not_sealed,
    recording::what_an_episode_outgrew_is_in_the_journal,
    staff::grants_are_seen_by_another_process,
    staff::where_a_device_is,
    staff::who_was_told_is_known_over_a_restart,
    staff::asks_are_answered_once,
    staff::asks_that_wait_and_late_answers_are_not_lost,
    staff::restrictions_must_be_lawful,
    staff::emergencies_do_not_chain,
    staff::notes_and_reports_change_nothing_of_an_episode,
    staff::reports_all_the_time_mark_nothing,
    staff::a_wrong_entry_is_said_to_be_wrong,
    staff::a_shift_is_read_and_signed,
    staff::exports_carry_their_manifest,
    together::shifts_that_nobody_signed_are_read_as_one,
    together::a_report_is_open_until_somebody_heard_it,
    together::who_tells_all_the_time_pushes_out_nobody,
    together::made_up_devices_bury_nobody_who_lives_here,
    together::what_a_strange_device_tells_marks_its_own_alone,
    together::what_was_told_for_somebody_stays_where_a_flood_is_heard,
    together::a_wrong_list_is_told_until_it_is_answered,
    together::what_is_looked_at_together_and_written_down_by_hand,
    together::what_was_given_and_taken_back_and_when_files_changed,
    together::what_staff_mark_as_told_is_no_breach,
    keeping::what_is_old_is_purged_and_the_chain_stays_whole,
    keeping::what_is_open_is_never_purged,
    keeping::what_a_wrong_clock_dated_is_not_lost_early,
    monitoring::who_is_not_monitored_leaves_nothing,
    monitoring::nothing_is_kept_before_the_day_on_which_the_young_person_was_told,
    monitoring::categories_are_kept_without_their_sites,
    monitoring::sites_are_kept_without_their_hosts,
    monitoring::protected_and_background_hosts_are_never_kept,
    monitoring::sensitive_sites_are_kept_under_no_word,
    monitoring::a_restart_does_not_count_its_minute_twice,
    monitoring::monitoring_ends_by_itself_at_the_homes_midnight,
    monitoring::a_clock_that_is_not_right_monitors_nobody,
    monitoring::a_person_has_so_many_sites_a_day,
    monitoring::monitored_minutes_are_purged_in_their_time,
    monitoring::raising_and_ending_it_are_entries,
    monitoring::a_store_of_the_first_version_is_upgraded_whole,
}

// Package schedule runs jobs by cron expression and keeps the ledger of all batch runs.
//
// The ledger is one SQLite file that several processes use at once: the scheduler, a batch run by hand, and those that
// only read (serving, the reconciler). The scheduler owns no state of its own: what it has to catch up with after a
// restart it reads from the ledger. Rules that the code relies on:
//
//  1. A run goes from running to exactly one of succeeded, failed and abandoned, and never back. Each transition is one
//     transaction that names the state it leaves; one that finds another state is refused.
//  2. At most one run of a (pipeline, reading) is running. A unique index holds it, whatever process writes.
//  3. A run is abandoned when its runner went away before it ended: it was stopped, or it died. A crash leaves a running
//     row, which the next Start of the same (pipeline, reading) on the same host finds and marks. Death is believed only
//     when it is certain: a process id that another process has taken over does not count as alive, a runner on another
//     host never counts as dead.
//  4. Run ids increase strictly in the order of Start, also when the clock steps back.
//  5. The first publication of a run is kept; saying it again changes nothing.
//  6. The intervals that a job's ticks cover join without hole or overlap while the scheduler runs, and across a stop
//     unless the catch-up policy is CatchUpNone. Ticks that come while the job still runs (its retries included) are run
//     once afterwards, as one tick at the newest of their times whose interval reaches back to the last one run.
//  7. A tick is settled when it succeeded or used up its attempts. A tick that was abandoned, or stopped between two
//     attempts, is not settled and counts as missed.
//
// Cron expressions are read in UTC unless they name a zone. Where a zone's clock is put forward, a local time that does
// not exist has no tick; where it is put back, a local time that comes twice has two. The intervals join either way.
package schedule

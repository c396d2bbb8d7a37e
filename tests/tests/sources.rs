//! Each kind of source that a map's evidence can name is read as docs/sources.md says.
#![allow(clippy::unwrap_used)]

use desireline_core::feedback::{Direction, Question, QuestionKind, Scale, survey_template};
use desireline_core::map::SourceKind;
use desireline_io::{Columns, FeedbackColumns, IdSpace, IdTable, Source, read, read_feedback};

/// What a kind is read as: so many events, so many answers.
#[derive(Debug, Default, PartialEq)]
struct Told {
    events: u64,
    answers: usize,
}

fn events(csv: &str, columns: Columns) -> u64 {
    read(Source::memory("events.csv", csv), &columns)
        .unwrap()
        .n_events()
}

fn answers(csv: &str, columns: &FeedbackColumns) -> usize {
    read_feedback(Source::memory("answers.csv", csv), columns)
        .unwrap()
        .len()
}

fn said(csv: &str) -> usize {
    let columns = FeedbackColumns::wide([Question::new("said", QuestionKind::Text)]);
    answers(csv, &columns.customer("who").time("at"))
}

fn loaded(kind: SourceKind) -> Told {
    let plain = || Columns::new("who", "at", "what");
    let both = |events, answers| Told { events, answers };
    let only = |events| both(events, 0);
    match kind {
        SourceKind::EventLog => only(events("who,at,what\na,2024-01-01,home\n", plain())),
        SourceKind::WebAnalytics => only(events(
            "who,at,what,medium,visit\nx.1,2024-01-01,page_view,organic,9\n",
            plain().channel("medium").journey("visit"),
        )),
        SourceKind::Crm => only(events(
            "who,at,what\na,2024-01-01,lead\na,2024-02-01,qualified\n",
            plain(),
        )),
        SourceKind::Email => only(events(
            "who,at,what,campaign\na,2024-01-01,sent,spring\na,2024-01-01,opened,spring\n",
            plain().attributes(["campaign"]),
        )),
        SourceKind::MarketingAutomation => only(events(
            "who,at,what,flow\na,2024-01-01,waited,welcome\n",
            plain().attributes(["flow"]),
        )),
        SourceKind::SalesTalk => both(
            events(
                "who,at,said\na,2024-01-01,too dear\n",
                Columns::every_row("who", "at", "sales_talk"),
            ),
            said("who,at,said\na,2024-01-01,too dear\n"),
        ),
        SourceKind::Social => {
            let mood = Question::new("mood", QuestionKind::Sentiment).model("reader", "1.0");
            let columns = FeedbackColumns::wide([mood])
                .time("at")
                .words("post")
                .source("network")
                .anonymous(true);
            both(
                0,
                answers("at,mood,post,network\n2024-01-01,-0.5,meh,m\n", &columns),
            )
        }
        SourceKind::Messaging => both(
            events(
                "who,at,said\na,2024-01-01,where is it?\n",
                Columns::every_row("who", "at", "message"),
            ),
            said("who,at,said\na,2024-01-01,where is it?\n"),
        ),
        SourceKind::Survey => {
            let columns = FeedbackColumns::wide([Question::nps("nps")]).customer("who");
            both(0, answers("who,nps\na,9\n", &columns))
        }
        SourceKind::Interview => {
            let questions = survey_template();
            let names: Vec<String> = questions.iter().map(|q| q.question.id.clone()).collect();
            // Six are words, the last is a yes or no.
            let csv = format!("who,{}\na{},yes\n", names.join(","), ",said".repeat(6));
            let columns = FeedbackColumns::wide(questions.into_iter().map(|q| q.question));
            both(0, answers(&csv, &columns.customer("who")))
        }
        SourceKind::CallRecord => {
            let ids = IdSpace::mapped(IdTable::new([("+49 30 1", "a")]).unwrap());
            only(events(
                "who,at,queue\n+49 30 1,2024-06-01 09:00,orders\n",
                Columns::every_row("who", "at", "call")
                    .attributes(["queue"])
                    .zone("Europe/Berlin")
                    .ids(ids),
            ))
        }
        SourceKind::SupportTicket => only(events(
            "who,at,what,ticket\na,2024-01-01,opened,7\na,2024-01-02,closed,7\n",
            plain().attributes(["ticket"]),
        )),
        SourceKind::PublicReview => {
            let stars = Scale::new(1, 5, Direction::HighIsGood).unwrap();
            let stars = Question::new("stars", QuestionKind::Rating).scale(stars);
            let columns = FeedbackColumns::wide([stars])
                .time("at")
                .words("review")
                .source("site")
                .anonymous(true);
            both(
                0,
                answers("at,stars,review,site\n2024-01-01,4,fine,s\n", &columns),
            )
        }
        SourceKind::Experiment => only(events(
            "who,at,what,arm\na,2024-01-01,home,b\n",
            plain().attributes(["arm"]),
        )),
        SourceKind::Video | SourceKind::Workshop | SourceKind::DeskResearch | SourceKind::Other => {
            Told::default()
        }
    }
}

#[test]
fn every_kind_of_source_is_read_as_the_documentation_says() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/sources.md");
    let page = std::fs::read_to_string(path).unwrap();
    let rows: Vec<(&str, &str)> = page
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| `")?.split('|');
            Some((
                cells.next()?.trim().trim_end_matches('`'),
                cells.next()?.trim(),
            ))
        })
        .collect();
    let kinds: Vec<&str> = rows.iter().map(|(kind, _)| *kind).collect();
    let all: Vec<&str> = SourceKind::ALL.iter().map(|k| k.word()).collect();
    assert_eq!(kinds, all);
    for (kind, (_, read_as)) in SourceKind::ALL.iter().zip(&rows) {
        let Told { events, answers } = loaded(*kind);
        let expected = match (events > 0, answers > 0) {
            (true, true) => "events, answers",
            (true, false) => "events",
            (false, true) => "answers",
            (false, false) => "text only",
        };
        assert_eq!(*read_as, expected, "{kind}");
    }
}

//! Locking somebody out: a script asks for codes to the victim's address all day and spends them (S35).

use std::time::Duration;

use rand::RngExt;

use crate::{
    Fault, Report, Setup, World,
    visitor::{BackEnd, Checked, Refused, Visitor},
};

const DAY: Duration = Duration::from_secs(24 * 3600);
const MINUTE: Duration = Duration::from_secs(60);
/// Hours after each of which the victim and the back end verify once.
const HOURS: u64 = 3;
/// Messages that are tried: one that the script has asked for can arrive in between.
const MESSAGES: usize = 3;

/// Successes and failures of those who mean it.
#[derive(Default)]
struct Tries {
    verified: u32,
    failed: u32,
}

impl Tries {
    fn count(&mut self, verified: bool) {
        *if verified { &mut self.verified } else { &mut self.failed } += 1;
    }
}

/// A day of locking somebody out, from any number of networks. The victim has verified from home three days
/// before, and tries from home and from elsewhere; the site's back end tries as well.
///
/// # Errors
/// A fault.
pub async fn run(setup: &Setup) -> Result<Report, Fault> {
    let mut rng = setup.rng();
    let world = setup.world(&[]).await?;
    let to = format!("resident{}@example.com", setup.seed);
    let home = Visitor { world: &world, address: world.new_network() };
    if !verify(home, &to).await? {
        return Err("the victim cannot verify before the attack".into());
    }
    world.advance(DAY * 3);

    let mut report = Report::new("Lock a victim out for a day, from any number of networks".into());
    let (mut at_home, mut elsewhere, mut back_end) =
        (Tries::default(), Tries::default(), Tries::default());
    let mut asked = 0;
    for _ in 0..24 / HOURS {
        let minutes = HOURS * 60;
        let [one, two, three] = [(); 3].map(|()| rng.random_range(15..minutes));
        for minute in 0..minutes {
            world.advance(MINUTE);
            asked += 1;
            if let Err(Refused(words)) = spend(&world, &to).await? {
                report.refuse(&words);
            }
            if minute == one {
                at_home.count(verify(home, &to).await?);
            }
            if minute == two {
                let visitor = Visitor { world: &world, address: world.new_network() };
                elsewhere.count(verify(visitor, &to).await?);
            }
            if minute == three {
                back_end.count(verify_by_back_end(&world, &to).await?);
            }
        }
    }
    report.figure("verifications asked for", asked);
    for (who, Tries { verified, failed }) in
        [("from home", &at_home), ("from elsewhere", &elsewhere), ("the back end", &back_end)]
    {
        report.figure(
            format!("victim verifies, {who}"),
            format!("{verified} of {}", verified + failed),
        );
    }
    report.promise("S35 times that the victim cannot verify from home", at_home.failed.into(), 0.0);
    report.promise("S35 times that the back end cannot verify", back_end.failed.into(), 0.0);
    report.figure("requests", world.requests());
    Ok(report)
}

/// Has a code sent and guesses until the verification is over.
async fn spend(world: &World, to: &str) -> Result<Result<(), Refused>, Fault> {
    let visitor = Visitor { world, address: world.new_network() };
    let id = match visitor.begin(to).await? {
        Ok(id) => id,
        Err(refused) => return Ok(Err(refused)),
    };
    let mut digits = 6;
    loop {
        let typed = "1234567890".get(..usize::from(digits)).unwrap_or("123456");
        match visitor.check(&id, typed).await? {
            Checked::Incorrect(_) => {}
            Checked::Length(length) if length != digits => digits = length,
            _ => return Ok(Ok(())),
        }
    }
}

/// Whether the person gets a code and is approved.
async fn verify(visitor: Visitor<'_>, to: &str) -> Result<bool, Fault> {
    let world = visitor.world;
    world.skip_messages().await?;
    let Ok(id) = visitor.begin(to).await? else { return Ok(false) };
    for _ in 0..MESSAGES {
        let code = world.code(to).await?;
        match visitor.check(&id, &code).await? {
            Checked::Approved => return Ok(true),
            Checked::Incorrect(_) | Checked::Length(_) => {}
            _ => break,
        }
    }
    Ok(false)
}

async fn verify_by_back_end(world: &World, to: &str) -> Result<bool, Fault> {
    world.skip_messages().await?;
    let back_end = BackEnd(world);
    let Ok(path) = back_end.begin(to).await? else { return Ok(false) };
    for _ in 0..MESSAGES {
        if back_end.check(&path, &world.code(to).await?).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

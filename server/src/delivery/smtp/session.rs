//! An SMTP session, in steps with a time-out each.

use std::{
    iter,
    pin::pin,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Duration,
};

use lettre::{
    Address,
    transport::smtp::{
        authentication::{Credentials, DEFAULT_MECHANISMS},
        client::{AsyncSmtpConnection, TlsParameters},
        commands::{Data, Mail, Noop, Rcpt, Rset},
        extension::ClientId,
    },
};
use secrecy::ExposeSecret;
use tokio::time::timeout;

use super::{
    SmtpSecurity, SmtpSettings,
    line_stream::{LineStream, LookOut},
    step::{Broken, Fault, Step},
};
use crate::delivery::HandOver;

/// Length of the look at the connection before the final dot: a round trip to most servers.
const LOOK: Duration = Duration::from_millis(50);

/// An authenticated connection with no message in progress.
pub(super) struct Session {
    connection: AsyncSmtpConnection,
    timeout: Duration,
    look: LookOut,
}

impl Session {
    /// Connects and authenticates. No credentials and no message are sent before the connection has the
    /// configured encryption (S23).
    pub(super) async fn open(
        settings: &SmtpSettings,
        tls: Option<&TlsParameters>,
    ) -> Result<Self, Fault> {
        let timeout = settings.timeout;
        let look = LookOut::default();
        let connection = connect(settings, tls, look.clone());
        let connection = Step::Connect.within(timeout, connection).await;
        let connection = connection.map_err(|fault| fault.naming(settings.ca_file.as_deref()))?;
        let mut session = Self { connection, timeout, look };
        if let Some((user, password)) = &settings.credentials {
            let credentials = Credentials::new(user.clone(), password.expose_secret().to_owned());
            let authentication = session.connection.auth(DEFAULT_MECHANISMS, &credentials);
            if let Err(fault) = Step::Authenticate.within(timeout, authentication).await {
                session.quit_after(&fault).await;
                return Err(fault);
            }
        }
        Ok(session)
    }

    /// Whether the server still answers.
    pub(super) async fn is_alive(&mut self) -> bool {
        Step::Revive.within(self.timeout, self.connection.command(Noop)).await.is_ok()
    }

    /// Sends a message within `left`, and says by `hand_over` when the server may have it. After a failure the
    /// session cannot be used any more.
    ///
    /// Nothing is accepted before the reply to the final dot (RFC 5321, 4.1.1.4), so failures before the dot
    /// is written are transient. Servers may take minutes for that reply (4.5.3.2.6), for example to scan the
    /// message, and a client that gives up earlier causes duplicates: it is waited for as long as the code
    /// lives.
    pub(super) async fn send(
        &mut self,
        from: Address,
        to: Address,
        message: &[u8],
        hand_over: &HandOver,
        left: Duration,
    ) -> Result<(), Fault> {
        self.begin(from, to).await?;
        Step::Data.within(self.timeout, self.connection.command(Data)).await?;
        // The iterator ends when the message is written, and the final dot follows.
        let is_written = AtomicBool::new(false);
        let end = iter::from_fn(|| {
            self.look.before_next_write(LOOK);
            is_written.store(true, Relaxed);
            hand_over.begin();
            None
        });
        let mut transfer = pin!(self.connection.message_iter(iter::once(message).chain(end)));
        let result = match timeout(self.timeout, &mut transfer).await {
            Err(_) if is_written.load(Relaxed) => timeout(left, transfer).await,
            result => result,
        };
        let step = if is_written.load(Relaxed) { Step::Confirmation } else { Step::Body };
        step.result(result).map(|_| ())
    }

    /// Names a sender and a recipient, and takes both back.
    pub(super) async fn rehearse(&mut self, from: Address, to: Address) -> Result<(), Fault> {
        let named = self.begin(from, to).await;
        if named.as_ref().err().is_none_or(|fault| fault.reply.is_some()) {
            Step::Reset.within(self.timeout, self.connection.command(Rset)).await?;
        }
        named
    }

    async fn begin(&mut self, from: Address, to: Address) -> Result<(), Fault> {
        let sender = self.connection.command(Mail::new(Some(from), Vec::new()));
        Step::Sender.within(self.timeout, sender).await?;
        let recipient = self.connection.command(Rcpt::new(to, Vec::new()));
        Step::Recipient.within(self.timeout, recipient).await?;
        Ok(())
    }

    /// Ends a session after a fault: with QUIT, unless the server would not understand it.
    pub(super) async fn quit_after(self, fault: &Fault) {
        if fault.reply.is_some() {
            self.quit().await;
        }
    }

    /// Ends the session by QUIT, and TLS by its own close, so that the server does not log a lost connection.
    pub(super) async fn quit(mut self) {
        /// Longest time for the server to answer.
        const GOODBYE: Duration = Duration::from_secs(1);
        // Nothing depends on the answer.
        let _ = timeout(GOODBYE, self.connection.abort()).await;
    }
}

async fn connect(
    settings: &SmtpSettings,
    tls: Option<&TlsParameters>,
    look: LookOut,
) -> Result<AsyncSmtpConnection, Broken> {
    let hello = ClientId::Domain(settings.hello.clone());
    let server = (settings.host.as_str(), settings.port);
    if settings.security == SmtpSecurity::Tls {
        let tls = tls.cloned();
        return Ok(AsyncSmtpConnection::connect_tokio1(server, None, &hello, tls, None).await?);
    }
    let stream = Box::new(LineStream::connect(server, look).await?);
    let mut connection = AsyncSmtpConnection::connect_with_transport(stream, &hello).await?;
    let Some(tls) = tls else { return Ok(connection) };
    if !connection.can_starttls() {
        connection.abort().await;
        return Err(Broken::NoStartTls);
    }
    connection.starttls(tls.clone(), &hello).await?;
    Ok(connection)
}

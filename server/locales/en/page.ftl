# Texts of the pages.
#
# { $recipient } is the masked recipient, { $time } a time such as 4:32, { $brand } the name of a relying
# party. { $count } is a number and may be used for plural forms.

## The verification card

title = OTP Verification
# In front of the title of a page that reports an error.
error-prefix = Error:
submit = SUBMIT
resend = RESEND OTP
# Replaces "SUBMIT" during a check.
checking = CHECKING…
# Replaces it after three seconds.
still-checking = STILL CHECKING…
# Below the field: the last digit submits the code.
hint = Checked with the last digit
# Cancels this verification to enter another recipient; change-label is its accessible name.
change = change
change-label = Change where the code goes

# State of the newest message. The "again" forms are for every message after the first.
sending = Sending a code to { $recipient }
sending-again = Sending a new code to { $recipient }
sent = We sent a code to { $recipient }
sent-again = We sent a new code to { $recipient }
delivered = Your code has arrived at { $recipient }
# By WhatsApp and by phone, for every message.
sending-by-whatsapp = Sending a code by WhatsApp to { $recipient }
sent-by-whatsapp = We sent a code by WhatsApp to { $recipient }
calling-soon = We are about to call { $recipient }
calling = We are calling { $recipient }. Listen for the code.
called = We have called { $recipient }
undelivered = The code could not be delivered to { $recipient }. Is that right? Change it, or ask for another code.

time-left = Code expires in { $time }
resend-wait = New code possible in { $time }
resend-ready = Nothing arrived? Ask for a new code.
# All messages of this verification have been sent.
resend-over = No further codes can be sent
# Buttons for a new code by another channel, shown after the first resend.
resend-by-email = Send it by e-mail instead
resend-by-sms = Send it by text message instead
resend-by-whatsapp = Send it by WhatsApp
resend-by-voice = Call me instead
# Announced to screen readers.
five-minutes-left = Less than five minutes left
one-minute-left = One minute left
half-a-minute-left = 30 seconds left

# { $count } is the number of checks left.
incorrect =
    Incorrect OTP! { $count ->
        [0] No tries left.
        [one] { $count } try left.
       *[other] { $count } tries left.
    }
# The same wrong code again, which costs no try.
already-tried = You have tried this code already. Look for the newest message.
# Followed by one of the next three texts. { $count } is the number of digits.
malformed = Invalid OTP: enter the { $count } digits we sent
too-short = Some digits are missing.
too-long = These are too many.
not-digits = Use digits only.
# Label of the field. { $count } is the number of digits.
code-label = Enter the { $count }-digit code

# Final states, each with a heading and a body.
approved = Login Success!
approved-body = { $recipient } is verified.
already-used = This OTP has already been used
already-used-body = Every code works once. Start again if you need another one.
expired = This OTP has expired
expired-body = Start again and we send you a new one.
too-many-attempts = Too many incorrect OTPs
too-many-attempts-body = For your safety this code no longer works. Start again for a new one.
canceled = Verification called off
canceled-body = This code no longer works. Start again for a new one.
failed = We could not reach you
failed-body = No message could be delivered. Check the address or number and start again.
start-again = START AGAIN

# Errors of a request.
limit-sends = Too many codes were asked for. Try again in { $time }.
limit-checks = Too many codes were tried. Try again in { $time }.
too-early = A new code can be sent in { $time }.
unavailable = We cannot be reached for the moment. Nothing is lost: try again shortly.
internal = Something went wrong on our side. Try again.
not-understood = This request could not be read. Reload the page and try again.

## The start page

start-intro = We send you a one-time passcode. Where should it go?
# Replaces start-intro where the recipient is configured.
start-fixed = We send a code to { $recipient }
channel-label = Send it by
channel-email = E-mail
channel-sms = Text message
channel-whatsapp = WhatsApp
channel-voice = Phone call
email-label = E-mail address
country-label = Country
phone-label = Phone number
phone-hint = With or without the country code
send = SEND OTP

# Errors of the form.
email-missing = Enter your e-mail address
email-invalid = Enter an e-mail address like name@example.com
phone-missing = Enter your phone number
phone-invalid = Enter a phone number, in digits
country-missing = Choose the country of this phone number
phone-too-short = This phone number has too few digits
phone-too-long = This phone number has too many digits
# The number of a line that is no mobile phone.
not-mobile = We cannot text this kind of number. Enter a mobile number.
# The country of the number, or its range, is one that the site does not text.
destination-not-served = We send no text messages to this country or kind of number. Enter another number.
# Follows the last two, where e-mail is on offer.
by-email-instead = Or choose e-mail.
channel-unavailable = No code can be sent this way. Choose the other one.
texts-paused = No text can be sent to this number for the moment. Try again in { $time }.

## The relying party that started a verification

# Above the title of the card: what the code is for.
for-account = For your account at { $brand }
# The final state in every window but the one in which the code was typed, which alone leads on.
elsewhere = Verified
elsewhere-body = { $recipient } is verified. Go on where you typed the code.
return-to = Return to { $brand }
# Replaces "change" while the verification is pending.
cancel-and-return = Cancel and return to { $brand }
# These replace the texts of the card with the same names, since the person starts again at the relying party.
undelivered-there = The code could not be delivered to { $recipient }. Ask for another one, or return and correct it.
expired-there = Return to { $brand } and ask for a new one.
too-many-attempts-there = For your safety this code no longer works. Return to { $brand } for a new one.
canceled-there = This code no longer works. Return to { $brand } if you want to go on.
failed-there = No message could be delivered. Return to { $brand } and check the address or number.
support = Help from { $brand }
# In an element, when the form around it is submitted too early.
verify-first = Verify yourself here to continue

## The page behind "This wasn't me" in mails

not-me-question = Did you ask for this code?
not-me-asked = Somebody has asked for a code for { $recipient }.
# While the code can still be used.
not-me-ends = If it wasn't you, end it here. The code then no longer works.
# { $count } is a number of hours.
not-me-cool-down =
    { $count ->
        [one] For an hour, new codes to this address can then be asked for only from a device that has confirmed it before. This holds for you too.
       *[other] For { $count } hours, new codes to this address can then be asked for only from a device that has confirmed it before. This holds for you too.
    }
not-me-submit = THIS WASN'T ME
not-me-otherwise = If it was you, you need not do anything.
# After the button.
not-me-done = Thank you for telling us
not-me-ended = The code for { $recipient } no longer works.
not-me-cooling =
    { $count ->
        [one] For an hour, new codes to this address can be asked for only from a device that has confirmed it before.
       *[other] For { $count } hours, new codes to this address can be asked for only from a device that has confirmed it before.
    }
# The code was used before the button was pressed.
not-me-used = This code has been used
not-me-used-body = Somebody has used it, which cannot be undone here. If it wasn't you, tell { $brand }.
# The link is unknown, or its verification has been deleted.
not-me-over = There is nothing left to do
not-me-over-body = This code has long ended, or the link was not copied whole.

## Error pages

not-found = Nothing here
not-found-body = This page does not exist, or its code has expired.
slow-down = Too many requests
# The request was refused or could not be read.
refused = We could not read that
not-embeddable = Not for this page
not-embeddable-body = No site has this key, or it does not list the address of the page around. Both stand in the configuration of this server.
# The server runs in development mode and is reached from elsewhere, as behind a proxy.
development-only = For development only
development-only-body = This server runs in development mode, which answers its own machine alone. Behind a proxy set server.mode = "production", server.public_origin and server.trusted_proxies. To try it from another device, list the host of this address in server.development_hosts.
# The service is unavailable.
away = Back in a moment
# Internal error.
fault = Something went wrong
# Before a code is sent while many are asked for. { $time } is the wait without script.
one-moment = One moment
one-moment-body = Many codes are being asked for right now, so this takes a moment. If nothing happens, wait { $time } and press the button.
go-on = GO ON

## The development inbox

inbox-title = Development inbox
inbox-intro = What this server would have sent, newest first. Nothing leaves the machine.
inbox-empty = Nothing yet. Ask for a code and it appears here.
inbox-age = { $time } ago
inbox-message = Whole message
inbox-refresh = Refresh

## The API reference

reference-title = JSON API
reference-openapi = The same as OpenAPI 3.1
# Accessible name of an example.
reference-example = Example
# Headings of the parts of an endpoint.
reference-asked = What it takes
reference-required = required
reference-answered = What it answers
reference-fields = Its fields
reference-refused = What it may answer otherwise

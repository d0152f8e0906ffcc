# Texts of the messages that carry a code. $brand is the site's name, $code the digits of the code.

email-subject = Your { $brand } code
email-intro = Your code for { $brand }:
email-use = Type it only on the page where you asked for it, not on one that somebody has sent you to. Tell nobody: no one from { $brand } will ever ask you for it.
email-ignore = If you did not ask for a code, you need not do anything: without it nothing happens.
# Before the link to the page on which nothing happens before a button is pressed; email-not-me-link is its text
# where the address is not shown.
email-not-me = To end this attempt and stop such codes for a while:
email-not-me-link = This wasn't me

validity-minutes =
    { $count ->
        [one] It is valid for one minute.
       *[other] It is valid for { $count } minutes.
    }
validity-seconds =
    { $count ->
        [one] It is valid for one second.
       *[other] It is valid for { $count } seconds.
    }

# Text message: the longest of these four that fits is sent. $validity is one of the sentences above.
sms-text = { $code } is your { $brand } code. { $validity } Tell nobody. Type it only where you asked for it.
sms-brief = { $code } is your { $brand } code. Tell nobody. Type it only where you asked for it.
sms-short = { $code } is your { $brand } code.
sms-bare = { $code } is your code.

# WhatsApp message of gateways that send text. Twilio sends a content template instead.
whatsapp-text = { $code } is your { $brand } code. { $validity } Tell nobody. Type it only where you asked for it.

# Call: the language for the voice, with its region, then the sentences before the digits, before the digits once
# more, and at the end. The digits are said one by one.
call-language = en-GB
call-first = Hello. Here is your { $brand } code.
call-again = Once more, your code is:
call-last = Tell nobody. Type it only where you asked for it. Goodbye.
